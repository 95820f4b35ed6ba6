// What `npm test` runs: all but the long checks, whose names end in .long.test.ts, and what needs the
// emulated GPU, which takes as long to build as all the rest.
/** @type {import('jest').Config} */
module.exports = {
  ...require('./jest.config.cjs'),
  testPathIgnorePatterns: ['/node_modules/', '\\.long\\.test\\.ts$', '<rootDir>/test/device/'],
  globalTeardown: '<rootDir>/scripts/name-long-checks.cjs',
};
