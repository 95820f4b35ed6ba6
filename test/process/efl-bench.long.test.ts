import path from 'node:path';
import { expectSuccess, root, runNode } from './child';

const minutes = 60_000;
const bench = path.join(root, 'bench');

test(
  'efl bench --quick takes less than 30 s, with the peers that bench/ installs',
  async () => {
    const install = path.join(root, 'scripts', 'install-dependencies.mjs');
    expectSuccess(await runNode([install, bench]));
    const start = performance.now();
    const efl = path.join(root, 'dist', 'cli', 'main.js');
    const ended = await runNode([efl, 'bench', '--quick'], { cwd: bench });
    const seconds = (performance.now() - start) / 1000;
    expectSuccess(ended);
    for (const name of ['TensorFlow.js, wasm', 'TensorFlow.js, cpu', 'onnxruntime', 'jax-js']) {
      expect(ended.stdout).toMatch(new RegExp(`^\\| ${name}`, 'm'));
    }
    expect(seconds).toBeLessThan(30);
  },
  5 * minutes,
);
