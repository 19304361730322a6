/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

const config: Config = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
  // Types are checked once, by `npm run typecheck`; here each file is only translated.
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/tsconfig.json', diagnostics: false }] },
  moduleNameMapper: {
    '^express-hangup$': '<rootDir>/src/index.ts',
    '^express-hangup/(pg|mysql2)$': '<rootDir>/src/databases/$1/index.ts',
    '^express-hangup/(proxy|upstream|diagnose|testing|eslint)$': '<rootDir>/src/$1/index.ts',
  },
  testPathIgnorePatterns: ['/node_modules/', '\\.slow\\.test\\.ts$', '/fixtures/', '/__tests__/package/'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.cache', '<rootDir>/__tests__/fix/apps/'],
  setupFilesAfterEnv: process.env['CI'] === undefined ? [] : ['<rootDir>/__tests__/fixtures/repeat-in-ci.ts'],
  setupFiles: ['<rootDir>/__tests__/fixtures/keep-channels.ts'],
  // Most of a test is waiting for sockets. A third worker on two cores starves those that start processes.
  maxWorkers: '100%',
  testTimeout: 15_000,
};

export default config;
