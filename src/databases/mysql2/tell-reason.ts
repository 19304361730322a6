type Callback = (...args: unknown[]) => void;

/**
 * Tells a callback the reason of a request's end. The promise API of mysql2 writes its own stack on the errors that come to it,
 * also on one that many share: it is put back. One that is frozen cannot be written on, and so comes as the cause of another.
 */
export function tellReason(callback: Callback, reason: unknown): void {
  if (!(reason instanceof Error)) {
    callback(reason);
    return;
  }
  if (Object.isFrozen(reason)) {
    callback(Object.assign(new Error(reason.message, { cause: reason }), { name: reason.name }));
    return;
  }
  const { stack } = reason;
  try {
    callback(reason);
  } finally {
    if (reason.stack !== stack) restore(reason, stack);
  }
}

function restore(reason: Error, stack: string | undefined): void {
  try {
    Object.assign(reason, { stack });
  } catch {
    // Its stack cannot have been changed, then.
  }
}
