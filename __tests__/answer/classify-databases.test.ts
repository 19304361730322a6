import { classifyError } from 'express-hangup';

const reset = (): Error =>
  Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

describe('classifyError() and what databases put errors into', () => {
  it.each(['cause', 'parent', 'original', 'driverError', 'reason'])('looks through %s', (key) => {
    expect(classifyError(Object.assign(new Error('wrapped'), { [key]: reset() }))?.code).toBe(
      'UPSTREAM_RESET',
    );
  });

  it('looks at what a MongoDB topology says of its servers', () => {
    const servers = new Map([['a:1', { error: reset() }]]);
    const error = Object.assign(new Error('none'), {
      name: 'MongooseServerSelectionError',
      reason: { servers },
    });
    expect(classifyError(error)?.code).toBe('UPSTREAM_RESET');
    expect(classifyError(Object.assign(error, { reason: { servers: new Map() } }))?.code).toBe(
      'UPSTREAM_UNREACHABLE',
    );
  });

  it('ends in a circle of parents and reasons, and in a topology that throws', () => {
    const error = new Error('a') as Error & Record<string, unknown>;
    const hostile = new Proxy(new Map(), {
      get: () => {
        throw new Error('no');
      },
    });
    Object.assign(error, { parent: error, original: error, reason: { servers: hostile, reason: error } });
    expect(classifyError(error)).toBeUndefined();
  });

  it('leaves an error with a status of its own to the app, whatever is inside', () => {
    const error = Object.assign(new Error('Not Found'), { status: 404, parent: reset(), reason: reset() });
    expect(classifyError(error)).toBeUndefined();
  });

  // By Prisma's documentation, not by the package.
  it.each([
    ['P1001', 'UPSTREAM_UNREACHABLE'],
    ['P1008', 'UPSTREAM_TIMEOUT'],
    ['P1017', 'UPSTREAM_RESET'],
    ['P2024', 'UPSTREAM_TIMEOUT'],
    ['P2002', undefined],
  ])('knows %s of Prisma, as code and as errorCode', (code, fault) => {
    expect(classifyError(Object.assign(new Error('prisma'), { code }))?.code).toBe(fault);
    expect(classifyError(Object.assign(new Error('prisma'), { errorCode: code }))?.code).toBe(fault);
  });
});
