/** Whether this is Bun, whose HTTP server is one of its own; Deno's is made after Node's. */
export const isBun = process.versions.bun !== undefined;
