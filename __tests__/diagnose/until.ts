/** Waits until something is so; fails after five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`it did not come to ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
