import path from 'node:path';
import { expectSuccess, run } from './child';

/** The limit is one of Linux. */
const onLinux = process.platform === 'linux' ? test : test.skip;
if (onLinux === test.skip) console.warn('What finds no memory: skipped, it needs Linux');

onLinux(
  'what finds no memory says so with an error of the package, and nothing has changed',
  async () => {
    const fixture = path.join(__dirname, 'fixtures', 'short-of-memory.cjs');
    const limit = '1200000';
    const limited = 'ulimit -d "$2" && exec "$0" --expose-gc "$1" "$2"';
    const ended = await run('sh', ['-c', limited, process.execPath, fixture, limit], {
      env: { EFL_NUM_THREADS: '1' },
    });
    expectSuccess(ended);
    expect(ended.stdout).toBe('done\n');
  },
  120_000,
);
