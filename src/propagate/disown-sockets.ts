import { Socket } from 'node:net';
import { currentContext, runInContext } from '../request/context';

type Connect = (this: Socket, ...args: unknown[]) => Socket;

/** What is not in the types: Node's handle of a socket. */
interface Handle {
  asyncReset?(resource: object): void;
}

/**
 * Makes the events of a connection that a request opens nobody's: a pool's connection lives on and serves others, and
 * code in a callback of its events would run in the context of the request that happened to open it. Node itself does
 * the same for the sockets of its HTTP agents, which are left to it. Gives the function that ends it.
 */
export function disownSockets(): () => void {
  const { prototype } = Socket as unknown as { prototype: { connect: Connect } };
  const original = prototype.connect;
  let isActive = true;
  const connect: Connect = function (...args) {
    const socket = original.apply(this, args);
    if (isActive && currentContext() !== undefined && !isOfHttpAgent(args)) disown(this);
    return socket;
  };
  prototype.connect = connect;
  return () => {
    isActive = false;
    if (prototype.connect === connect) prototype.connect = original;
  };
}

function disown(socket: Socket): void {
  const handle = (socket as { _handle?: Handle | null })._handle;
  // Other stores than ours stay as they are: the handle takes over what is current.
  runInContext(undefined, () => handle?.asyncReset?.({}));
}

/** node:net hands its arguments on as one list, with the options in front. */
function isOfHttpAgent([first]: unknown[]): boolean {
  const options: unknown = Array.isArray(first) ? first[0] : first;
  return typeof options === 'object' && options !== null && '_agentKey' in options;
}
