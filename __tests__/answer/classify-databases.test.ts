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
    ['P2028', undefined],
    ['P2002', undefined],
  ])('knows %s of Prisma, as code and as errorCode', (code, fault) => {
    expect(classifyError(Object.assign(new Error('prisma'), { code }))?.code).toBe(fault);
    expect(classifyError(Object.assign(new Error('prisma'), { errorCode: code }))?.code).toBe(fault);
  });

  // As @prisma/client 7 and @prisma/adapter-pg give them; the errors themselves are tested in ecosystem/tests/databases.
  it.each([
    [{ kind: 'ConnectionClosed' }, 'UPSTREAM_RESET'],
    [{ kind: 'DatabaseNotReachable', host: '127.0.0.1' }, 'UPSTREAM_UNREACHABLE'],
    [{ kind: 'SocketTimeout' }, 'UPSTREAM_TIMEOUT'],
    [{ kind: 'TlsConnectionError', reason: 'self-signed certificate' }, 'UPSTREAM_UNREACHABLE'],
    [{ kind: 'TooManyConnections', originalCode: '53300' }, 'UPSTREAM_REFUSED'],
    [{ kind: 'postgres', code: '57P01', message: 'terminating connection' }, 'UPSTREAM_RESET'],
    [{ kind: 'postgres', code: '42601', message: 'syntax error' }, undefined],
    [{ kind: 'UniqueConstraintViolation', originalCode: '23505' }, undefined],
  ])("knows %o of a driver adapter of Prisma's", (cause, fault) => {
    const driverAdapterError = Object.assign(new Error(cause.kind), { name: 'DriverAdapterError', cause });
    const error = Object.assign(new Error('Raw query failed.'), {
      name: 'PrismaClientKnownRequestError',
      code: 'P2010',
      meta: { driverAdapterError },
    });
    expect(classifyError(error)?.code).toBe(fault);
  });

  it("takes the time limits of Prisma's transactions for an upstream's", () => {
    const ofTransaction = (message: string): unknown =>
      Object.assign(new Error(`Transaction API error: ${message}`), { code: 'P2028' });
    expect(classifyError(ofTransaction('Unable to start a transaction in the given time.'))?.code).toBe(
      'UPSTREAM_TIMEOUT',
    );
    expect(classifyError(ofTransaction('A query cannot be executed on an expired transaction.'))?.code).toBe(
      'UPSTREAM_TIMEOUT',
    );
    expect(classifyError(ofTransaction('A query cannot be executed on a committed transaction.'))).toBe(
      undefined,
    );
  });

  it("knows a request's reason of which Prisma has kept the code alone", () => {
    const error = Object.assign(new Error('prisma'), {
      name: 'PrismaClientKnownRequestError',
      code: 'DEADLINE_EXCEEDED',
    });
    expect(classifyError(error)?.code).toBe('DEADLINE_EXCEEDED');
    expect(classifyError(Object.assign(error, { name: 'Error' }))).toBeUndefined();
  });
});
