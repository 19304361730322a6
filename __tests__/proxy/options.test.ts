import { hangupProxy, type HangupProxyOptions } from 'express-hangup/proxy';

const target = 'http://127.0.0.1';

describe('hangupProxy() refuses', () => {
  it.each([
    ['no options', undefined, 'hangupProxy(): the options is undefined'],
    ['a text', target, `hangupProxy(): the options is the string '${target}'`],
    ['a proxyTimeout from the environment', { proxyTimeout: '500' }, 'Number(…)'],
    ['plugins that are no array', { plugins: {} }, 'option "plugins"'],
    ['a handler that is no function', { on: { error: 'log' } }, 'option "on.error"'],
  ])('%s, with a TypeError', (_what, options, message) => {
    expect(() => hangupProxy(options as object)).toThrow(TypeError);
    expect(() => hangupProxy(options as object)).toThrow(message);
  });

  it.each(['proxyTimeout', 'timeout', 'upgradeTimeout'])('a negative %s, with a RangeError', (name) => {
    expect(() => hangupProxy({ target, [name]: -1 })).toThrow(RangeError);
  });
});

describe('hangupProxy() gives back', () => {
  it('a copy in which the timeouts are its own, and the rest as it was', () => {
    const router = (): string => target;
    const options = Object.freeze({
      target,
      router,
      secure: false,
      proxyTimeout: 100,
      timeout: 0,
      upgradeTimeout: 5,
    });

    const prepared = hangupProxy(options);

    expect(prepared).toMatchObject({ target, router, secure: false });
    expect(Object.keys(prepared)).not.toEqual(expect.arrayContaining(['proxyTimeout']));
    expect(Object.keys(prepared)).not.toEqual(expect.arrayContaining(['timeout']));
    expect(Object.keys(prepared)).not.toEqual(expect.arrayContaining(['upgradeTimeout']));
  });

  it('the user’s agent, also where it is false', () => {
    expect(hangupProxy({ target, agent: false }).agent).toBe(false);
  });

  it('no kept connections where redirects lead anywhere', () => {
    const prepared = hangupProxy<HangupProxyOptions>({ target, followRedirects: true });

    expect(prepared.agent).toBe(false);
  });
});
