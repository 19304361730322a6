// The scenarios: what happens, and what is true of it. `advice` is what must be advised if anything is.
import { scripts } from './lab.mjs';

const { ok, announce, fin, rst, silence, garbage, error500, slow, begin, cut } = scripts;
const LARGE = Buffer.alloc(4 * 1024 * 1024);
/** A port on which nobody listens, and which fetch does not refuse by itself as it does small ones. */
const nobody = () => 'http://127.0.0.1:65535';

const simple =
  (script, path = '/') =>
  async (lab) => {
    lab.script = script;
    await lab.ask(path);
  };
const reused = (script) => async (lab) => {
  await lab.answer();
  lab.script = script;
  await lab.ask('/');
};
/** A request that the upstream closes after so many ms. */
const cutAfter = async (lab, ms, path) => {
  lab.script = (socket) => {
    lab.passTime(ms);
    socket.end();
  };
  await lab.ask(path);
  await lab.turn();
  lab.passTime(100);
};
const each = (runs) => async (lab) => {
  for (const run of runs) await run(lab);
};

/** `trigger: null` is no fault at all. */
export const scenarios = [
  { name: 'closes before the answer', trigger: 'fin', run: simple(fin) },
  { name: 'resets before the answer', trigger: 'rst', run: simple(rst) },
  { name: 'closes a socket in use', trigger: 'fin', run: reused(fin) },
  { name: 'resets a socket in use', trigger: 'rst', run: reused(rst) },
  { name: 'closes amid the body', trigger: 'fin', run: simple(cut('fin')) },
  { name: 'resets amid the body', trigger: 'rst', run: simple(cut('rst')) },
  { name: 'answers what is not HTTP', trigger: 'parse-error', run: simple(garbage) },
  { name: 'answers 500', trigger: null, run: simple(error500) },
  { name: 'answers slowly', trigger: null, run: simple(slow) },
  {
    name: 'refuses, was never there',
    trigger: 'refused',
    advice: /Nothing accepts connections/,
    target: nobody,
    run: simple(ok),
  },
  {
    name: 'refuses, after an answer',
    trigger: 'refused',
    advice: /restarting or has crashed/,
    run: async (lab) => {
      await lab.ask('/');
      lab.upstream.close();
      for (const socket of lab.sockets) socket.destroy();
      await lab.until(() => lab.sockets.size === 0);
      await lab.turn();
      await lab.ask('/');
    },
  },
  {
    name: 'a name that does not exist',
    trigger: 'name-not-found',
    advice: /does not exist/,
    target: () => 'http://nowhere.invalid:3001',
    run: simple(ok),
  },
  {
    name: 'TLS to a plain port',
    trigger: 'tls-error',
    advice: /does not speak TLS/,
    target: (port) => `https://127.0.0.1:${port}`,
    run: simple((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  },
  {
    name: 'a certificate signed by itself',
    trigger: 'certificate',
    advice: /is signed by itself/,
    kind: 'self-signed',
    run: simple(ok),
  },
  {
    name: 'an expired certificate',
    trigger: 'certificate',
    advice: /has expired: renew it/,
    kind: 'expired',
    run: simple(ok),
  },
  {
    name: 'a certificate for another host',
    trigger: 'certificate',
    advice: /for other names than this host/,
    kind: 'wrong-name',
    run: simple(ok),
  },
  {
    name: 'the client leaves while it waits',
    trigger: null,
    run: async (lab) => {
      lab.script = silence;
      for (const id of [1, 2, 3]) await lab.leave(`/${id}`);
    },
  },
  {
    name: 'the client leaves amid the body',
    trigger: null,
    run: async (lab) => {
      lab.script = begin;
      await lab.leave('/');
    },
  },
  {
    name: 'three clients leave, then a reset',
    trigger: 'rst',
    run: async (lab) => {
      lab.script = silence;
      for (const id of [1, 2, 3]) await lab.leave(`/${id}`);
      await simple(rst)(lab);
    },
  },
  { name: 'the deadline passes', trigger: 'deadline', run: simple(silence, '/?deadline=1') },
  {
    name: 'the app aborts its call',
    trigger: ['abort', 'destroyed'],
    own: true,
    run: simple(silence, '/?own=abort'),
  },
  {
    name: 'AbortSignal.timeout()',
    trigger: ['signal-timeout', 'client-timeout', 'abort', 'destroyed'],
    own: true,
    run: simple(silence, '/?own=timeout'),
  },
  {
    name: 'a retry by hand is answered',
    trigger: null,
    own: true,
    run: async (lab) => {
      let left = 1;
      lab.script = (socket) => (left-- > 0 ? rst : ok)(socket);
      await lab.ask('/?again=1');
    },
  },
  {
    name: 'stale socket, limit announced',
    trigger: 'rst',
    advice: /closes idle sockets after about 5 s/,
    run: async (lab) => {
      lab.script = announce;
      await lab.ask('/');
      await lab.turn();
      lab.passTime(4900);
      lab.script = rst;
      await lab.ask('/x');
    },
  },
  {
    name: 'stale sockets, two of two',
    trigger: 'rst',
    advice: /failed at once when it was reused/,
    run: async (lab) => {
      await lab.answer();
      for (const [ms, path] of [
        [5000, '/a'],
        [6000, '/b'],
      ])
        await lab.onOldSocket(ms, path, rst);
    },
  },
  {
    name: 'a poison request on old sockets',
    trigger: 'rst',
    run: async (lab) => {
      await lab.answer();
      for (let at = 0; at < 3; at++) await lab.onOldSocket(1100, '/poison', rst);
    },
  },
  {
    name: 'works for 800 ms and crashes',
    trigger: 'rst',
    run: async (lab) => {
      await lab.answer();
      for (const path of ['/a', '/b'])
        await lab.onOldSocket(5000, path, (socket) => {
          lab.passTime(800);
          socket.resetAndDestroy();
        });
    },
  },
  {
    name: 'resets old and new sockets',
    trigger: 'rst',
    run: async (lab) => {
      await lab.answer();
      await lab.onOldSocket(5000, '/a', rst);
      await lab.onOldSocket(0, '/b', rst);
      await lab.onOldSocket(6000, '/c', rst);
    },
  },
  {
    name: 'resets old sockets, answers on older',
    trigger: 'rst',
    run: async (lab) => {
      await lab.answer();
      await lab.onOldSocket(5000, '/a', rst);
      await lab.onOldSocket(20_000, '/b', ok);
      await lab.onOldSocket(6000, '/c', rst);
    },
  },
  {
    name: 'restarts, three in use',
    trigger: ['fin', 'rst'],
    advice: /closed many connections at once/,
    run: async (lab) => {
      lab.script = silence;
      const asked = [];
      for (const id of [1, 2, 3]) {
        const before = lab.requests;
        asked.push(lab.ask(`/${id}`));
        await lab.until(() => lab.requests > before);
        lab.passTime(300);
      }
      for (const socket of lab.sockets) socket.resetAndDestroy();
      await Promise.all(asked);
    },
  },
  {
    name: 'a timer cuts three requests',
    trigger: 'fin',
    advice: /cuts requests that take longer than about 5/,
    run: each(['/a', '/b', '/c'].map((path) => (lab) => cutAfter(lab, 5000, path))),
  },
  {
    name: 'one request is cut four times',
    trigger: 'fin',
    run: each(['/a', '/a', '/a', '/a'].map((path) => (lab) => cutAfter(lab, 5000, path))),
  },
  {
    name: 'requests are cut after different times',
    trigger: 'fin',
    run: each([5000, 8000, 12_000].map((ms) => (lab) => cutAfter(lab, ms, `/${ms}`))),
  },
  {
    name: 'large bodies are cut, small ones answered',
    trigger: ['rst', 'fin'],
    advice: /limit on its size/,
    run: async (lab) => {
      await lab.answer();
      lab.script = rst;
      for (const path of ['/a', '/b', '/c']) {
        await lab.ask(path, { method: 'POST', body: LARGE });
        await lab.turn();
      }
    },
  },
  {
    name: 'large bodies are cut, nothing is answered',
    trigger: ['rst', 'fin'],
    run: async (lab) => {
      lab.script = rst;
      for (const path of ['/a', '/b', '/c']) {
        await lab.ask(path, { method: 'POST', body: LARGE });
        await lab.turn();
      }
    },
  },
];
