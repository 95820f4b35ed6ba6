import path from 'node:path';
import { expectSuccess, run } from './child';

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'what finds no memory says so with an error of the package, and nothing has changed',
  async () => {
    const fixture = path.join(__dirname, 'fixtures', 'short-of-memory.cjs');
    const limited = `ulimit -d 450000 && exec "$0" --expose-gc --max-old-space-size=100 "$1"`;
    const ended = await run('sh', ['-c', limited, process.execPath, fixture], {
      env: { EFL_NUM_THREADS: '1' },
    });
    expectSuccess(ended);
    expect(ended.stdout).toBe('done\n');
  },
);
