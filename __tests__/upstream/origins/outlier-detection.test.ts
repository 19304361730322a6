import {
  EndpointHealth,
  mostEjected,
  OUTLIER_DEFAULTS,
} from '../../../src/upstream/origins/outlier-detection';
import { upstream, type UpstreamOptions } from 'express-hangup/upstream';

describe('outlier detection', () => {
  it('has the defaults of Envoy', () => {
    expect(OUTLIER_DEFAULTS).toEqual({
      consecutiveGatewayFailure: 5,
      baseEjectionTime: 30_000,
      maxEjectionTime: 300_000,
      maxEjectionPercent: 10,
    });
  });

  it('ejects at the fifth failure in a row, and not at five with a success between them', () => {
    const health = new EndpointHealth();
    const fail = (): boolean => health.failed(OUTLIER_DEFAULTS);
    expect([fail(), fail(), fail(), fail()]).toEqual([false, false, false, false]);
    health.succeeded();
    expect([fail(), fail(), fail(), fail(), fail()]).toEqual([false, false, false, false, true]);
  });

  it('ejects for 30 s, then for 60 s, and never for longer than five minutes', () => {
    const health = new EndpointHealth();
    let now = 0;
    const lengths = Array.from({ length: 12 }, () => {
      health.eject(OUTLIER_DEFAULTS, now);
      const began = now;
      while (health.isEjected(now)) now += 1000;
      return (now - began) / 1000;
    });
    expect(lengths).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]);
    expect(health.ejections).toBe(12);
  });

  it('forgives an ejection for each ten seconds in which there was none', () => {
    const health = new EndpointHealth();
    health.eject(OUTLIER_DEFAULTS, 0);
    health.eject(OUTLIER_DEFAULTS, 30_000);
    health.eject(OUTLIER_DEFAULTS, 90_000 + 20_000);
    expect(health.isEjected(110_000 + 29_999)).toBe(true);
    expect(health.isEjected(110_000 + 30_000)).toBe(false);
  });

  it.each([
    [2, 10, 1],
    [3, 10, 1],
    [19, 10, 1],
    [20, 10, 2],
    [3, 0, 1],
    [3, 67, 2],
    [3, 100, 2],
    [1, 100, 0],
  ])('of %i endpoints at %i percent ejects at most %i', (count, maxEjectionPercent, most) => {
    expect(mostEjected({ ...OUTLIER_DEFAULTS, maxEjectionPercent }, count)).toBe(most);
  });

  it.each<[unknown, ErrorConstructor, RegExp]>([
    [{ consecutive5xx: 5 }, TypeError, /"outlierDetection": there is no option "consecutive5xx"/],
    [{ consecutiveGatewayFailure: 0 }, RangeError, /"outlierDetection.consecutiveGatewayFailure" is 0/],
    [{ baseEjectionTime: '30s' }, TypeError, /"outlierDetection.baseEjectionTime" is the string '30s'/],
    [{ maxEjectionPercent: 101 }, RangeError, /"outlierDetection.maxEjectionPercent" is 101/],
    [true, TypeError, /"outlierDetection".* is true/],
  ])('refuses the options %j', (outlierDetection, kind, message) => {
    const make = (): unknown => upstream('http://users:3001', { outlierDetection } as UpstreamOptions);
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });

  it.each<[unknown, RegExp]>([
    [[], /the list of origins is empty/],
    [['http://a', 'http://b', 'http://a/'], /the origin 'http:\/\/a' is in the list twice/],
    [['http://a', 'b:3001'], /the origin is "b:3001", but must be scheme, host and port alone/],
    [['http://a', null], /the origin is null/],
  ])('refuses the origins %j', (origins, message) => {
    expect(() => upstream(origins as string[])).toThrow(message);
  });
});
