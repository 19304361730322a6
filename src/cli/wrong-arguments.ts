/** An error of `parseArgs()` in fewer words. Node goes on about positional arguments; its first sentence is what helps. */
export function wrongArguments(error: unknown, command: string): TypeError {
  const [first = ''] = (error as Error).message.split(/(?<=[.'])\s|\n/);
  const sentence = /[.!?]$/.test(first) ? first : `${first}.`;
  return new TypeError(`${sentence} See express-hangup ${command} --help.`, { cause: error });
}
