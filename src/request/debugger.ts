/**
 * Whether a debugger can be attached (`node --inspect`, or `inspector.open()`): a handler that stands at a breakpoint
 * must not be answered for. Asked only when a deadline passes.
 */
export function isDebugging(): boolean {
  // `node:inspector` is missing where Node was built without it.
  return process.getBuiltinModule('node:inspector')?.url() !== undefined;
}
