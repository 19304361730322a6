/** The user's tests failed before anything was repaired. */
export class TestsFail extends Error {}
