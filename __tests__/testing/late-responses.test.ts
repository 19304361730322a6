import { channel } from 'node:diagnostics_channel';
import { failOnLateResponse } from 'express-hangup/testing';

const late = channel('express-hangup:late-response');
const event = {
  method: 'GET',
  route: '/report/:id',
  ms: 1250,
  call: 'json',
  lateMs: 199.6,
  stack: 'Error\n    at report (/app/report.js:12:7)',
};

describe('failOnLateResponse()', () => {
  it('has nothing to say while nobody is late', () => {
    const watch = failOnLateResponse();
    expect(() => watch.check()).not.toThrow();
    watch.stop();
  });

  it('names method, route, call, delay and place of every late response', () => {
    const watch = failOnLateResponse();
    late.publish(event);
    late.publish({ ...event, method: 'POST', route: undefined, call: 'end', stack: undefined });
    watch.stop();
    expect(() => watch.check()).toThrow(
      [
        'A handler went on after its request had been answered for it:',
        '- GET /report/:id called json() 200 ms too late',
        '    at report (/app/report.js:12:7)',
        '- POST (no route) called end() 200 ms too late',
        '    (no stack in production)',
      ].join('\n'),
    );
  });

  it('hears nothing any more once it is stopped', () => {
    const watch = failOnLateResponse();
    watch.stop();
    late.publish(event);
    expect(watch.late).toEqual([]);
    expect(late.hasSubscribers).toBe(false);
  });
});
