import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SRC = JSON.stringify(join(__dirname, '../../src'));

/** A process whose handler has a listener on its signal that throws; says what the client and the process got of it. */
const PROGRAM = `
  const express = require('express');
  const { gatewayErrorHandler, hangup } = require(${SRC});
  const uncaught = [];
  process.on('uncaughtException', (error) => uncaught.push(error.message));
  const app = express();
  app.use(hangup({ deadline: 50 }));
  app.get('/', (req) => {
    req.signal.addEventListener('abort', () => { throw new Error('of the listener'); });
  });
  app.use(gatewayErrorHandler());
  const server = app.listen(0, '127.0.0.1', async () => {
    const { status } = await fetch('http://127.0.0.1:' + server.address().port);
    console.log(JSON.stringify({ status, uncaught }));
    process.exit();
  });
`;

describe('a listener on the signal that throws', () => {
  it('is an uncaught exception; in a process that survives those, the client still gets its 504', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['-r', 'esbuild-register', '-e', PROGRAM],
      { cwd: join(__dirname, '../..') },
    );
    expect(JSON.parse(stdout)).toEqual({ status: 504, uncaught: ['of the listener'] });
  });
});
