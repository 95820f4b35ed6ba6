import { allBlocks, codeBlocks } from './documents';

/** Every command of the documents, and the test or CI step that runs it. */
const runBy: Readonly<Record<string, string>> = {
  'npm install equalized-focal-loss': 'package.test.ts, from the packed file',
  'npm ci && npm run demo': '.ci/run, with --quick',
  'npm ci && npm test': '.ci/run',
  'npm ci': '.ci/run',
  'npm test': '.ci/run',
  'npm run test:all': '.ci/run',
  'npm run build': 'pretest, by its parts build:native and build:ts',
  'npm run check:package':
    'package-matrix.long.test.ts and bundlers.long.test.ts, by the script behind it and in parts',
  'npm run lint': '.ci/run',
  'npm run format': '.ci/run, which checks that it would change nothing',
  'npm run bench': 'bench.long.test.ts, by the program behind it, on a small workload',
  'npm run bench -- --quick': 'bench.long.test.ts, by the program behind it, on a small workload',
  'npm run bench -- --study --out runs/performance':
    'bench-study.long.test.ts and bench.long.test.ts, in parts',
  'node scripts/update-performance.mjs runs/performance/report.json':
    'bench-report.long.test.ts, on a copy',
  'node scripts/update-performance.mjs --beside runs/other/report.json':
    'bench-report.long.test.ts, on a copy',
  'npm run bench -- --compare docs/performance.json': 'bench.long.test.ts, with another report',
  'npx jest test/unit': '.ci/run',
  'npm run build:debug': 'native.long.test.ts, by the script behind it',
  'npm run build:asan': 'native.long.test.ts, by the script behind it',
  'node scripts/test-native.mjs address,undefined': 'native.long.test.ts',
  'node scripts/run-example.mjs jax-js': 'examples.long.test.ts',
  'npm run demo -- --seeds 21,22,23,24,25 --out runs/readme': 'demo.long.test.ts, with --quick',
  'node scripts/update-results.mjs runs/readme': 'demo.long.test.ts, on a copy',
  'npm run fuzz -- library --seconds 600': '.ci/run, for 60 s',
  'npm run test:emulated': '.ci/run',
  'npm run gpu:bundle': 'gpu-bundle.long.test.ts, with the Node.js that runs the test',
  'npm run gpu:bundle -- --emulated':
    'gpu-bundle.long.test.ts, with the Node.js that runs the test',
  'npm run build:release': '.ci/run',
  'npm run release': 'release.test.ts, what it refuses; its steps by .ci/run',
  'npm run bench:cores': 'native.long.test.ts, by the script behind it',
  'npm run bench:gpu -- --quick':
    'gpu-bundle.long.test.ts, by the program behind it, with --emulated',
  'npx equalized-focal-loss doctor': 'package.test.ts',
  'npx equalized-focal-loss doctor --json': 'cli.test.ts',
  ...Object.fromEntries(
    codeBlocks('docs/bundling.md')
      .filter(({ language }) => language === 'sh')
      .map(({ code }) => [code.trim(), 'bundlers.long.test.ts']),
  ),
  'npx equalized-focal-loss build': 'package.test.ts, which reads what it says without its tools',
};

const commands = allBlocks('sh').flatMap(({ code }) =>
  code
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== ''),
);

test.each([...new Set(commands)])('%s is run somewhere', (command) => {
  expect(Object.keys(runBy)).toContain(command);
});
