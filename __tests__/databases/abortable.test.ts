import { getEventListeners } from 'node:events';
import { abortable as abortablePg } from 'express-hangup/pg';
import { abortable as abortableMysql } from 'express-hangup/mysql2';
import { onAbort } from '../../src/databases/abort-listeners';
import { tellReason } from '../../src/databases/mysql2/tell-reason';

describe('abortable() of a database pool', () => {
  it.each([
    ['pg', abortablePg],
    ['mysql2', abortableMysql],
  ])('of %s refuses what is no pool, and options that it does not know', (_name, abortable) => {
    const make = abortable as (pool: unknown, options?: object) => unknown;
    const refuse = (pool: unknown, options?: object) => () => make(pool, options);
    expect(refuse(undefined)).toThrow(/the pool is undefined, but must be a/);
    expect(refuse('postgres://user:secret@db')).toThrow(/is a string/);
    expect(refuse('postgres://user:secret@db')).not.toThrow(/secret/);
    expect(refuse({})).toThrow(TypeError);
    expect(refuse({}, { timeout: 1 })).toThrow('there is no option "timeout"');
    expect(refuse({}, { cancelTimeout: 0 })).toThrow(RangeError);
  });

  it('puts one listener on a signal, however many queries it ends', () => {
    const { signal } = new AbortController();
    const offs = Array.from({ length: 100 }, () => onAbort([signal], () => undefined));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    offs.forEach((off) => off());
    onAbort([signal], () => undefined);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  });

  it('puts one listener on a signal that takes no property, and tells all in the order of their coming', () => {
    const controller = new AbortController();
    const signal = Object.preventExtensions(controller.signal);
    const told: string[] = [];
    const offs = ['a', 'b', 'c'].map((name) => onAbort([signal], () => told.push(name)));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    offs[1]?.();
    controller.abort(new Error('gone'));
    expect(told).toEqual(['a', 'c']);
  });

  it('leaves the stack of a reason as it was, on which mysql2 writes', () => {
    const reason = new Error('gone');
    const { stack } = reason;
    const heard: unknown[] = [];
    const likeMysql2 = (error: unknown): void => {
      (error as Error).stack = 'another';
      heard.push(error);
    };
    tellReason(likeMysql2, reason);
    tellReason(likeMysql2, Object.freeze(new Error('frozen')));
    expect(reason.stack).toBe(stack);
    expect(heard[0]).toBe(reason);
    expect((heard[1] as Error).cause).toBeInstanceOf(Error);
  });
});
