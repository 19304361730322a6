/** Runs tasks in their order, `width` at a time; each call resolves to what its task gives. */
export function createQueue(width) {
  const waiting = [];
  let running = 0;

  async function next() {
    if (running === width || waiting.length === 0) return;
    running += 1;
    const { task, resolve, reject } = waiting.shift();
    await task().then(resolve, reject);
    running -= 1;
    next();
  }

  return function enqueue(task) {
    return new Promise((resolve, reject) => {
      waiting.push({ task, resolve, reject });
      next();
    });
  };
}
