const { bun, deno } = process.versions;

/** Whether this is Bun, whose HTTP server is one of its own; Deno's is made after Node's. */
export const isBun = bun !== undefined;

/** The runtime, where it is not Node itself. */
export const otherRuntime = isBun ? 'Bun' : deno === undefined ? undefined : 'Deno';
