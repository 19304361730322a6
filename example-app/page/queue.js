/** Runs tasks in their order, `width` at a time. */
export function createQueue(width) {
  const waiting = [];
  let running = 0;

  function next() {
    if (running === width || waiting.length === 0) return;
    running += 1;
    waiting
      .shift()()
      .catch((error) => console.error(error))
      .finally(() => {
        running -= 1;
        next();
      });
  }

  return function enqueue(task) {
    waiting.push(task);
    next();
  };
}
