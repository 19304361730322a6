import { createHook } from 'node:async_hooks';
import express from 'express';
import { hangup } from 'express-hangup';
import { clientThatHangsUp } from 'express-hangup/testing';

describe('what keeps the process alive', () => {
  it('is no request, for a tool that asks each async resource whether it does', async () => {
    const lifetimes: { hasRef?: () => boolean }[] = [];
    const hook = createHook({
      init(_id, type, _trigger, resource) {
        if (type === 'express-hangup') lifetimes.push(resource);
      },
    }).enable();
    const app = express().use(hangup({ deadline: 1000 }));
    app.get('/', (_req, res) => void res.end('done'));
    await clientThatHangsUp(app);
    hook.disable();
    // As why-is-node-running 3 does, which takes what has no such method for a handle.
    expect(lifetimes.map((lifetime) => lifetime.hasRef?.() ?? true)).toEqual([false]);
  });
});
