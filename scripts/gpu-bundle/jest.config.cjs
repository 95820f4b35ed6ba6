// For the compiled tests in the bundle.
/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.js'],
  transform: {},
  watchman: false,
  testTimeout: 120_000,
  maxWorkers: 2,
};
