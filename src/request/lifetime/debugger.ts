/**
 * Whether a debugger can be attached (`node --inspect`, or `inspector.open()`). A handler that is stopped at a
 * breakpoint must not be answered with 504. Called only when a deadline passes.
 */
export function isDebugging(): boolean {
  // `undefined` if Node was built without the inspector, although the types say otherwise.
  const inspector = process.getBuiltinModule('node:inspector') as typeof import('node:inspector') | undefined;
  return inspector?.url() !== undefined;
}
