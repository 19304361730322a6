// req.signal to whom shows it, listens to it or derives from it: no different from any AbortSignal.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { hangup } from 'express-hangup';
import { expresses, serve, Wire } from './wire.mjs';

// In this order: the last ones leave listeners behind.
const VIEWS = {
  'its listeners': (signal) => {
    const listener = () => undefined;
    signal.addEventListener('abort', listener);
    signal.addEventListener('abort', listener);
    const added = getEventListeners(signal, 'abort').length;
    signal.removeEventListener('abort', listener);
    return [added, getEventListeners(signal, 'abort').length];
  },
  'util.inspect': (signal) => inspect(signal),
  'JSON.stringify': (signal) => JSON.stringify(signal),
  'its prototype': (signal) => Object.getPrototypeOf(signal) === AbortSignal.prototype,
  'AbortSignal.any': (signal) => AbortSignal.any([signal]).aborted,
  Request: (signal) => new globalThis.Request('http://127.0.0.1/', { signal }).signal.aborted,
};

for (const [version, express] of expresses) {
  test(`req.signal on ${version} shows what a plain AbortSignal shows`, async (t) => {
    const app = express();
    app.use(hangup());
    const shown = {};
    app.get('/', (req, res) => {
      for (const [name, view] of Object.entries(VIEWS)) {
        try {
          shown[name] = view(req.signal);
        } catch (error) {
          shown[name] = error.name;
        }
      }
      res.end();
    });
    const { port } = await serve(t, app);
    const wire = await Wire.connect(port);
    wire.get('/');
    assert.equal((await wire.response()).status, 200);
    wire.close();
    const plain = Object.entries(VIEWS).map(([name, view]) => [name, view(new AbortController().signal)]);
    assert.deepEqual(shown, Object.fromEntries(plain));
  });
}
