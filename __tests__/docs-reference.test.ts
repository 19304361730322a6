import { FAULT_CODES, gatewayFault } from '../src/answer/fault';
import {
  ClientClosedRequestError,
  DeadlineExceededError,
  ResponseDestroyedError,
  ResponseStalledError,
  ServerDrainingError,
} from '../src/errors';
import { channels } from '../src/events';
import { DEFAULTS } from '../src/options';
import { FRONT_ENDS } from '../src/server/tune/load-balancers';
import { DRAIN_DEFAULTS } from '../src/server/drain/drain-options';
import { PLATFORMS } from '../src/server/tune/platforms';
import http from 'node:http';
import net from 'node:net';
import { deadline, drainable, gatewayErrorHandler, hangup, tuneServer } from 'express-hangup';
import { documentText, knownOptions, named, tableOf } from './fixtures/documents';

const reference = documentText('docs/reference.md');

const MAKERS: [heading: string, make: (options: object) => unknown][] = [
  ['## `hangup(', hangup],
  ['## `deadline(', (options) => deadline(1000, options)],
  ['## `gatewayErrorHandler(', gatewayErrorHandler],
  ['## `tuneServer(', (options) => tuneServer(http.createServer(), options as never)],
  ['## `drainable(', (options) => drainable(http.createServer(), options)],
];

describe('docs/reference.md', () => {
  it.each(MAKERS)('has every option that the code knows, and no other, under %s', (heading, make) => {
    const documented = tableOf(reference, 'option | default', heading).map(([name]) => named(name));
    expect(documented.length).toBeGreaterThan(0);
    expect(documented.sort()).toEqual(knownOptions(make).sort());
  });

  it("has hangup()'s defaults as the code has them", () => {
    const documented = tableOf(reference, 'option | default', '## `hangup(').map(([name, value]) => [
      named(name),
      named(value).replaceAll('_', ''),
    ]);
    expect(documented).toEqual(Object.entries(DEFAULTS).map(([name, value]) => [name, String(value)]));
  });

  it('has every code with the status that it has', () => {
    const documented = tableOf(reference, 'code | status').map(([code, status]) => [
      named(code),
      Number(status),
    ]);
    expect(documented).toEqual(FAULT_CODES.map((code) => [code, gatewayFault(code, undefined).status]));
  });

  it('has every reason with its code, name and status', () => {
    const reasons = [
      new ClientClosedRequestError(),
      new DeadlineExceededError(1),
      new ResponseStalledError(1),
      new ServerDrainingError(),
      new ResponseDestroyedError(),
    ];
    const documented = tableOf(reference, 'what happens | `reason.code`').map(([, code, name, status]) => [
      named(code),
      named(name),
      Number(status),
    ]);
    expect(documented).toEqual(reasons.map(({ code, name, status }) => [code, name, status]));
  });

  it('has every channel', () => {
    expect(tableOf(reference, 'channel | when').map(([name]) => named(name))).toEqual(
      Object.values(channels).map(({ name }) => name),
    );
  });

  it('has every front end and every platform that tuneServer() knows', () => {
    const rows = new Map(
      tableOf(reference, 'option | default', '## `tuneServer(').map((row) => [named(row[0]), row[2]]),
    );
    const names = (cell = ''): string[] => [...cell.matchAll(/`'([^`]+)'`/g)].map(([, name]) => name ?? '');
    expect(names(rows.get('loadBalancer'))).toEqual(Object.keys(FRONT_ENDS));
    expect(names(rows.get('terminationGracePeriod'))).toEqual(Object.keys(PLATFORMS));
  });

  it("has drainable()'s defaults as the code has them", () => {
    const rows = new Map(
      tableOf(reference, 'option | default', '## `drainable(').map((row) => [named(row[0]), row[1] ?? '']),
    );
    const { signals, delay, timeout, forceAfter } = DRAIN_DEFAULTS;
    expect(rows.get('signals')).toBe(`\`['${signals.join("', '")}']\``);
    expect(rows.get('delay')).toContain(`\`${delay}\` in a Kubernetes pod`);
    expect(named(rows.get('timeout')).replaceAll('_', '')).toBe(String(timeout));
    expect(rows.get('force')).toBe(`\`timeout\` + \`${forceAfter}\``);
  });

  it('has every member of req.deadline, and no other', () => {
    const req = new http.IncomingMessage(new net.Socket());
    hangup()(req as never, new http.ServerResponse(req) as never, () => undefined);
    const { deadline: member } = req as unknown as { deadline: object };
    const members = Object.getOwnPropertyNames(Object.getPrototypeOf(member)).filter(
      (name) => name !== 'constructor',
    );
    const documented = tableOf(reference, 'member | meaning').map(([name]) =>
      named(name).replace(/\(.*/, ''),
    );
    expect(documented.sort()).toEqual(members.sort());
  });
});
