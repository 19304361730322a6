/** @jest-config-loader esbuild-register */
import config from './jest.config';

// What takes too long for every `npm test`: `npm run test:slow`.
export default {
  ...config,
  testMatch: ['<rootDir>/__tests__/**/*.slow.test.ts'],
  testPathIgnorePatterns: [],
  testTimeout: 120_000,
};
