/**
 * The child's side of `startProcess()`: answers the parent's calls.
 *
 * @param {object} ready what the parent learns when the program is ready, for instance `{ port }`
 * @param {Record<string, (argument: any) => unknown>} [commands] what the parent can call besides
 */
export function answer(ready, commands = {}) {
  const known = { ready: () => ready, cpu, memory, ...commands };
  process.on('message', async ({ id, command, argument }) => {
    try {
      const result = await known[command](argument);
      process.send({ id, result });
    } catch (error) {
      process.send({ id, error: String(error?.stack ?? error) });
    }
  });
  process.on('disconnect', () => process.exit());
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function memory() {
  // Twice, with a turn of the event loop between: what finalizers and weak references let go of is gone as well.
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 50));
  globalThis.gc();
  return process.memoryUsage();
}
