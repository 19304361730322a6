const realNow = performance.now.bind(performance);
let passedMs = 0;

/** Lets the monotonic clock that `diagnose()` reads go forward: sockets stay as they are, only older. */
export function passTime(ms: number): void {
  passedMs += ms;
  performance.now = () => realNow() + passedMs;
}

afterEach(() => {
  passedMs = 0;
  performance.now = realNow;
});
