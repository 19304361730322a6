import { classifyError } from 'express-hangup';

const error = Object.assign(new Error('socket hang up'), {
  code: 'ECONNRESET',
  config: { headers: { Authorization: 'Bearer secret' } },
});

it('a fault that is logged as JSON does not hold its cause, which may carry credentials', () => {
  const fault = classifyError(error);
  expect(fault?.cause).toBe(error);
  expect(JSON.parse(JSON.stringify({ fault }))).toEqual({
    fault: { code: 'UPSTREAM_RESET', status: 502, title: 'Bad Gateway', detail: expect.any(String) },
  });
  expect(Object.keys(fault ?? {})).not.toContain('toJSON');
});
