/** @jest-config-loader esbuild-register */
import config from './jest.config';

// The package as users install it, from `npm pack`: `npm run test:package`.
export default {
  ...config,
  testMatch: ['<rootDir>/__tests__/package/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/__tests__/package/pack-once.ts',
  globalTeardown: '<rootDir>/__tests__/package/remove-packed.ts',
  testTimeout: 120_000,
};
