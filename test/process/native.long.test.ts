import { existsSync } from 'node:fs';
import path from 'node:path';
import { expectSuccess, root, run, runFixture, runNode } from './child';
import { hasTools } from './tools';

const minutes = 60_000;

/** The native tests need CMake; node-gyp alone builds the addon, but not these. */
const withCMake = hasTools('Native tests', 'cmake') ? describe : describe.skip;

withCMake('native tests', () => {
  test.each(['plain', 'address,undefined', 'thread'])(
    'core and CPU backend pass without Node.js (%s)',
    async (sanitizers) => {
      const script = path.join(root, 'scripts', 'test-native.mjs');
      const ended = await runNode([script, sanitizers]);
      expectSuccess(ended);
      expect(ended.stdout).toMatch(/\n[1-9]\d* passed, 0 failed\n/);
    },
    10 * minutes,
  );
});

withCMake('what many cores have to do', () => {
  test(
    'is measured for every shape',
    async () => {
      const ended = await runNode([path.join(root, 'scripts', 'bench-cores.mjs')]);
      expectSuccess(ended);
      const calls = ended.stdout.match(/^\d+ x \d+ .*$/gm) ?? [];
      expect(calls).toHaveLength(6);
      for (const call of calls) {
        const [rows, , classes, , parallel, tiles] = call.trim().split(/\s+/).map(Number);
        const isLarge = rows! * classes! > 990_000;
        expect([call, tiles! >= 128, parallel! > 0]).toEqual([call, isLarge, isLarge]);
      }
    },
    10 * minutes,
  );
});

withCMake('the addon under AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer', () => {
  let env: Record<string, string>;

  beforeAll(async () => {
    expectSuccess(
      await runNode([path.join(root, 'scripts', 'build-native.mjs'), 'cmake', '--sanitize']),
    );
    const folder = path.join(root, 'build-cmake-asan');
    const binary = ['Debug/efl.node', 'efl.node']
      .map((file) => path.join(folder, file))
      .find((file) => existsSync(file))!;
    const runtimes = await Promise.all(
      ['libasan.so', 'libubsan.so'].map(async (name) => {
        const { stdout } = await run('g++', [`-print-file-name=${name}`]);
        return stdout.trim();
      }),
    );
    env = {
      EFL_BINARY: binary,
      LD_PRELOAD: runtimes.join(' '),
      // Node.js itself leaves memory to the end of the process; what is ours has efl.node in its stack.
      ASAN_OPTIONS: 'detect_leaks=1',
      LSAN_OPTIONS: `suppressions=${path.join(root, 'test', 'process', 'fixtures', 'leaks.supp')}`,
      UBSAN_OPTIONS: 'print_stacktrace=1',
      EFL_NUM_THREADS: '3',
    };
  }, 5 * minutes);

  test.each(['sum', 'none'])(
    'a training of a few steps is clean (%s)',
    async (reduction) => {
      expectSuccess(await runFixture('hash-results.cjs', [reduction], { env }));
    },
    2 * minutes,
  );

  test.each(['load', 'main-and-worker', 'terminate'])(
    'workers are clean (%s)',
    async (task) => {
      expectSuccess(await runFixture('workers.cjs', [task], { env }));
    },
    5 * minutes,
  );

  test.each(['exit', 'idle'])(
    'the end of the process is clean (%s)',
    async (task) => {
      // process.exit leaves the whole JavaScript heap to the system, which is not a leak.
      const leaks = task === 'exit' ? 0 : 1;
      const options = { env: { ...env, ASAN_OPTIONS: `detect_leaks=${leaks}` } };
      expectSuccess(await runFixture('lifetime.cjs', [task], options));
    },
    2 * minutes,
  );

  test.each(['dispose-under-way', 'unused', 'worker'])(
    'memory of asynchronous calls that is freed is used no more (%s)',
    async (task) => {
      expectSuccess(await runFixture('async-memory.cjs', [task], { env }));
    },
    2 * minutes,
  );

  test(
    'a detached, an empty and an undersized array are refused without being read',
    async () => {
      expectSuccess(await runFixture('misuse.cjs', [], { env }));
    },
    2 * minutes,
  );
});
