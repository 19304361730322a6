import { captureStack, type CapturedStack } from '../../answer/call-site';

/** Takes the stack of a call that is being made, for all calls or for a share of them. */
export class CallSites {
  private sinceLast = 0;

  /** @param share - 1 takes the stack of every call, 0.01 of one in a hundred, 0 of none. */
  constructor(private readonly share: number) {}

  /** The stack of the caller; `undefined` for a call that is left out. */
  capture(): CapturedStack | undefined {
    if (this.share === 0) return undefined;
    this.sinceLast += this.share;
    // The small addend makes up for what binary fractions lose: 0.1 is one in ten, not one in eleven.
    if (this.sinceLast + 1e-9 < 1) return undefined;
    this.sinceLast = 0;
    return captureStack();
  }
}
