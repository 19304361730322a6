import { channels } from '../../events';
import type { RecentAborts } from '../verdicts/recent-aborts';
import type { LateHandlers } from './late-handlers';
import type { RecentFaults } from './recent-faults';

type Subscriber = Parameters<typeof channels.fault.subscribe>[0];

/** Listens to what the core publishes of requests. Gives the function that ends it. */
export function watchEvents(faults: RecentFaults, late: LateHandlers, aborts: RecentAborts): () => void {
  const listeners = [
    [channels.fault, guarded(faults.answered.bind(faults) as Subscriber)],
    [channels.lateResponse, guarded(late.note.bind(late) as Subscriber)],
    [
      channels.abort,
      guarded(((event: { code: 'DEADLINE_EXCEEDED' }) => aborts.note(event.code)) as Subscriber),
    ],
  ] as const;
  for (const [channel, listener] of listeners) channel.subscribe(listener);
  return () => {
    for (const [channel, listener] of listeners) channel.unsubscribe(listener);
  };
}

/** What a subscriber throws becomes an uncaught exception: to watch must never take the process down. */
function guarded(listener: Subscriber): Subscriber {
  return (message, name) => {
    try {
      listener(message, name);
    } catch {
      // A fault that cannot be noted is one row less.
    }
  };
}
