/** The SQL of what `query()` of pg was given, where it is known. */
export function textOf(config: unknown): string | undefined {
  const text = typeof config === 'object' && config !== null ? (config as { text?: unknown }).text : config;
  return typeof text === 'string' ? text : undefined;
}
