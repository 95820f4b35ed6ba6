// What `npm test` runs: all but the long checks, whose names end in .long.test.ts.
/** @type {import('jest').Config} */
module.exports = {
  ...require('./jest.config.cjs'),
  testPathIgnorePatterns: ['/node_modules/', '\\.long\\.test\\.ts$'],
  globalTeardown: '<rootDir>/scripts/name-long-checks.cjs',
};
