// Preloaded into a process whose clock is to be an hour off.
const HOUR_MS = 3_600_000;
const { now } = Date;

globalThis.Date = class SkewedDate extends Date {
  constructor(...args) {
    super(...(args.length === 0 ? [SkewedDate.now()] : args));
  }

  static now() {
    return now() + HOUR_MS;
  }
};
