/**
 * Whether a debugger can be attached (`node --inspect`, or `inspector.open()`): a handler that stands at a breakpoint
 * must not be answered for. Asked only when a deadline passes.
 */
export function isDebugging(): boolean {
  // Missing where Node was built without it, whatever the types say.
  const inspector = process.getBuiltinModule('node:inspector') as typeof import('node:inspector') | undefined;
  return inspector?.url() !== undefined;
}
