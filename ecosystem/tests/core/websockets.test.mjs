// "express-ws" and "socket.io" of docs/works-with.md, with the real ones.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import timers from 'node:timers';
import { drainable, gatewayErrorHandler, hangup } from 'express-hangup';
import expressWs from 'express-ws';
import { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import WebSocket from 'ws';
import { runSection } from './page.mjs';
import { expresses, gate, Wire } from './wire.mjs';

// The document's lines end the process, which engine.io's timers would keep. This process goes on to the next test.
for (const owner of [timers, globalThis]) {
  const { setTimeout } = owner;
  owner.setTimeout = (callback, ms, ...args) => {
    const timer = setTimeout(callback, ms, ...args);
    return ms >= 25_000 ? timer.unref() : timer;
  };
}

for (const [version, express] of expresses) {
  test(`the document's route of express-ws on ${version} answers, and tells who has left`, async (t) => {
    const app = express();
    const server = createServer(app);
    expressWs(app, server);
    app.use(hangup({ deadline: 50 }));
    const said = gate();
    runSection('express-ws, and other WebSockets', { app, console: { log: (...words) => said.open(words) } });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const ws = new WebSocket(`ws://127.0.0.1:${server.address().port}/echo`);
    await once(ws, 'open');
    ws.send('hello');
    assert.equal(String((await once(ws, 'message'))[0]), 'hello');
    ws.terminate();
    assert.deepEqual(await said.promise, ['gone', 'CLIENT_CLOSED_REQUEST']);
  });

  for (const transport of ['polling', 'websocket']) {
    test(`socket.io by ${transport} on ${version} outlives the app's deadline, and a drain loses no message and waits for nobody`, async (t) => {
      const app = express();
      app.set('env', 'test');
      app.use(hangup({ deadline: 50, grace: 0 }));
      app.get('/late', () => undefined);
      app.use(gatewayErrorHandler());
      let server;
      let report;
      const exited = gate();
      const listening = Object.assign(app, {
        listen: () => (server = createServer(app).listen(0, '127.0.0.1')),
      });
      const { io } = runSection(
        'socket.io',
        {
          app: listening,
          Server,
          process: { exit: exited.open },
          drainable: (of, options) =>
            (report = drainable(of, { ...options, signals: [], delay: 0, timeout: 5_000 })),
        },
        { wanted: ['io'] },
      );
      await once(server, 'listening');
      const { port } = server.address();
      t.after(() => io.close());
      const client = connect(`http://127.0.0.1:${port}`, { transports: [transport], reconnection: false });
      t.after(() => client.close());
      await once(client, 'connect');
      // A request that began later is answered by the deadline; the socket, silent till now, is still there.
      assert.equal((await (await Wire.connect(port)).get('/late').response()).status, 504);
      const heard = new Promise((resolve) => client.once('news', resolve));
      io.emit('news', 'after the deadline');
      assert.equal(await heard, 'after the deadline');
      const gone = new Promise((resolve) => client.once('disconnect', resolve));
      const drained = await report.drain();
      assert.equal(await gone, 'io server disconnect');
      assert.equal(drained.forced, 0);
      await exited.promise;
    });
  }
}
