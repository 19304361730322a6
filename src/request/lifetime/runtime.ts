const { bun, deno } = process.versions;

/** Whether this is Bun, which has an HTTP server of its own. Deno's follows Node's. */
export const isBun = bun !== undefined;

/** The runtime, where it is not Node itself. */
export const otherRuntime = isBun ? 'Bun' : deno === undefined ? undefined : 'Deno';
