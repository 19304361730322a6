import fc from 'fast-check';
import type { QueuedCall } from '../../src/databases/call';
import { ConnectionGuard } from '../../src/databases/connection-guard';
import type { CancelEnd, GuardedConnection } from '../../src/databases/guarded-connection';

/** A connection as a database has it: one query at a time, and cancels that arrive when the test says so. */
class ScriptedConnection implements GuardedConnection {
  running: ScriptedCall | undefined;
  isClosed = false;
  inTransaction = false;
  cancels: { deliver: (end: CancelEnd) => void; isWanted: () => boolean }[] = [];

  isIdle(): boolean {
    return this.running === undefined;
  }
  whenIdle(): void {
    throw new Error('A guard sends one call after the other: it never finds the connection busy.');
  }
  cancel(_timeoutMs: number, isWanted: () => boolean): Promise<CancelEnd> {
    return new Promise((deliver) => this.cancels.push({ deliver, isWanted }));
  }
  isCancelled(error: unknown): boolean {
    return error === 'cancelled';
  }
  isInTransaction(): boolean {
    return this.inTransaction;
  }
  close(): void {
    this.isClosed = true;
  }
}

class ScriptedCall implements QueuedCall {
  outcome: unknown = undefined;

  constructor(
    readonly connection: ScriptedConnection,
    readonly signals: readonly AbortSignal[],
    readonly text: string | undefined = 'SELECT 1',
  ) {}

  send(): void {
    this.connection.running = this;
  }
  abort(reason: unknown): void {
    this.outcome = { reason };
  }
  deliver(error: unknown, result: unknown): void {
    this.outcome = { error, result };
  }
}

function scene(timeoutMs = 5000) {
  const connection = new ScriptedConnection();
  const guard = new ConnectionGuard(connection, timeoutMs);
  const releases: unknown[] = [];
  return {
    connection,
    guard,
    releases,
    send: (signals: readonly AbortSignal[], text?: string): ScriptedCall => {
      const call = new ScriptedCall(connection, signals, text);
      guard.submit(call);
      return call;
    },
    end: (error?: unknown): void => {
      const call = connection.running!;
      connection.running = undefined;
      guard.over(call, error, 'rows');
    },
    release: (error?: unknown) => guard.release(error, (given) => releases.push(given)),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the guard of a database connection', () => {
  it('holds the next call and the release until the cancel is over', async () => {
    const { connection, send, end, release, releases } = scene();
    const leaver = new AbortController();
    const call = send([leaver.signal]);
    leaver.abort('gone');
    const next = send([new AbortController().signal]);
    release();
    end('cancelled');
    await turn();
    expect([call.outcome, connection.running, releases]).toEqual([undefined, undefined, []]);
    connection.cancels[0]!.deliver('done');
    await turn();
    expect(call.outcome).toEqual({ reason: 'gone' });
    expect(connection.running).toBe(next);
    end();
    expect([next.outcome, releases]).toEqual([{ error: undefined, result: 'rows' }, [undefined]]);
  });

  it('closes the connection where the query had ended by itself when the cancel was answered', async () => {
    const { connection, send, end, release, releases } = scene();
    const leaver = new AbortController();
    send([leaver.signal]);
    leaver.abort('gone');
    end();
    connection.cancels[0]!.deliver('done');
    release();
    await turn();
    expect(releases).toEqual([true]);
  });

  it('keeps the connection where the cancel was not sent, because the query had ended', async () => {
    const { connection, send, end, release, releases } = scene();
    const leaver = new AbortController();
    send([leaver.signal]);
    leaver.abort('gone');
    end();
    expect(connection.cancels[0]!.isWanted()).toBe(false);
    connection.cancels[0]!.deliver('unsent');
    release();
    await turn();
    expect(releases).toEqual([undefined]);
  });

  it('closes the connection at once where nobody can tell what became of the cancel', async () => {
    const { connection, send, release, releases } = scene();
    const leaver = new AbortController();
    const call = send([leaver.signal]);
    leaver.abort('gone');
    release();
    connection.cancels[0]!.deliver('unknown');
    await turn();
    expect([connection.isClosed, call.outcome, releases]).toEqual([true, { reason: 'gone' }, [true]]);
  });

  it('does not take the reason of the request for a fault of the connection', async () => {
    const { connection, guard, send, end, release, releases } = scene();
    const leaver = new AbortController();
    guard.takenFor([leaver.signal]);
    send(guard.ownerSignals);
    leaver.abort('gone');
    end('cancelled');
    connection.cancels[0]!.deliver('done');
    await turn();
    release('gone');
    guard.takenFor([]);
    send([new AbortController().signal]);
    end();
    release('broken');
    expect(releases).toEqual([undefined, 'broken']);
  });

  it.each(['COMMIT', ' /* done */ end', '-- last\ncommit', 'ROLLBACK', "PREPARE TRANSACTION 'a'"])(
    'never cancels what ends a transaction: %s',
    (text) => {
      const { connection, send, end } = scene();
      const leaver = new AbortController();
      const call = send([leaver.signal], text);
      leaver.abort('gone');
      end();
      expect([connection.cancels, call.outcome]).toEqual([[], { error: undefined, result: 'rows' }]);
    },
  );

  it.each(['SELECT 1', 'committed', "SELECT 'commit'", '/* commit */ SELECT 1'])(
    'cancels anything else: %s',
    (text) => {
      const { connection, send } = scene();
      const leaver = new AbortController();
      send([leaver.signal], text);
      leaver.abort('gone');
      expect(connection.cancels).toHaveLength(1);
    },
  );

  it('reads a text of nothing but comments and blanks in no time', () => {
    const { send, end } = scene();
    const leaver = new AbortController();
    send([leaver.signal], `${' '.repeat(200_000)}${'/* a */ '.repeat(50_000)}--`);
    const start = performance.now();
    leaver.abort('gone');
    expect(performance.now() - start).toBeLessThan(500);
    end();
  });

  it('sends no call while a cancel may be on its way, whatever the order of events', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('send' as const), who: fc.nat(3) }),
      fc.record({ kind: fc.constant('leave' as const), who: fc.nat(3) }),
      fc.record({ kind: fc.constantFrom('end' as const, 'cancelled' as const, 'answer' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { connection, send, end } = scene();
        const people = Array.from({ length: 4 }, () => new AbortController());
        const calls: ScriptedCall[] = [];
        let open = 0;
        for (const { kind, ...rest } of steps) {
          const who = people[(rest as { who?: number }).who ?? 0]!;
          const before = connection.running;
          const cancels = connection.cancels.length;
          if (kind === 'send') calls.push(send([who.signal]));
          if (kind === 'leave') who.abort(who);
          if (kind === 'end' && before) end();
          if (kind === 'cancelled' && before) end('cancelled');
          if (kind === 'answer' && open < connection.cancels.length) {
            connection.cancels[open]!.deliver('done');
            open += 1;
            await turn();
          }
          // A new call runs: no cancel is unanswered.
          const isNew = connection.running !== undefined && connection.running !== before;
          expect(isNew && open < cancels).toBe(false);
          // A cancel was asked for: for the call that runs, whose request is over.
          const isNewCancel = connection.cancels.length > cancels;
          expect(!isNewCancel || connection.running?.signals[0]?.aborted).toBe(true);
        }
        for (let left = 200; left > 0 && calls.some(({ outcome }) => outcome === undefined); left -= 1) {
          if (connection.running) end('cancelled');
          if (open < connection.cancels.length) connection.cancels[open++]!.deliver('done');
          await turn();
        }
        for (const call of calls) {
          const isInnocent = !call.signals[0]!.aborted;
          expect(isInnocent ? (call.outcome as object) : { error: 0 }).toHaveProperty('error');
        }
      }),
      { numRuns: 300 },
    );
  });
});
