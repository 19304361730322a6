import { undicis } from '../scripted-upstream';
import { signalMaker } from '../../../src/upstream/transport/call-signal';

describe.each(undicis())('the signal of a call, on %s', (_name, undici) => {
  it('is a light one from Node 22 on, and a request of undici obeys it with the very reason', () => {
    const source = signalMaker(undici)();
    // On Node 20 undici asks how many listeners a signal may have, which only a real one can say.
    expect(source instanceof AbortController).toBe(process.version.startsWith('v20.'));
    const { signal } = new undici.Request('http://127.0.0.1', { signal: source.signal });
    expect(signal.aborted).toBe(false);
    const reason = { any: 'thing' };
    source.abort(reason);
    source.abort('later');
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(reason);
  });

  it('is one that has aborted for a request made later', () => {
    const source = signalMaker(undici)();
    source.abort('gone');
    const { signal } = new undici.Request('http://127.0.0.1', { signal: source.signal });
    expect(signal.reason).toBe('gone');
  });

  it.each([
    ['refuses the light one', refusing],
    ['does not listen to it', deaf],
  ])("is Node's own where undici %s", (_why, request) => {
    const source = signalMaker({ Request: request as never })();
    expect(source).toBeInstanceOf(AbortController);
  });
});

function refusing(): never {
  throw new TypeError('Expected signal to be an instance of AbortSignal.');
}

function deaf(): object {
  return { signal: new AbortController().signal };
}
