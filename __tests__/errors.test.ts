import {
  ClientClosedRequestError,
  DeadlineExceededError,
  ResponseDestroyedError,
  ResponseStalledError,
  ServerDrainingError,
} from 'express-hangup';

describe('a reason', () => {
  it.each([
    new ClientClosedRequestError(),
    new DeadlineExceededError(5),
    new ResponseDestroyedError(),
    new ResponseStalledError(5),
    new ServerDrainingError(),
  ])('reads as an error of http-errors whose message is not for the client: $code', (reason) => {
    expect(reason.statusCode).toBe(reason.status);
    expect(reason.expose).toBe(false);
  });

  it('pays for that nothing of its own: both names are getters of its class', () => {
    expect(Object.keys(new DeadlineExceededError(5)).sort()).toEqual(['code', 'name', 'status', 'timeout']);
  });
});
