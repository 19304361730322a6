import { Socket } from 'node:net';
import { currentContext, runInContext } from '../request/context';

type Connect = (this: Socket, ...args: unknown[]) => Socket;

/** What is not in the types: Node's handle of a socket. */
interface Handle {
  asyncReset?(resource: object): void;
}

/**
 * Removes the request's context from the events of a connection that the request opens. A pool's connection lives
 * on and serves other requests, but callbacks of its events would run in the context of the request that opened it.
 * Node itself does the same for the sockets of its HTTP agents, so those are left alone. Gives the function that
 * stops this.
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
  // Only our own store is emptied: the handle takes the other stores from the current context.
  runInContext(undefined, () => handle?.asyncReset?.({}));
}

/** node:net passes its arguments on as one list that begins with the options. */
function isOfHttpAgent([first]: unknown[]): boolean {
  const options: unknown = Array.isArray(first) ? first[0] : first;
  return typeof options === 'object' && options !== null && '_agentKey' in options;
}
