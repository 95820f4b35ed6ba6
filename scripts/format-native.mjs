// Formats the C and C++ sources, or with --check only says which are not.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { filesBelow } from './fingerprint.mjs';
import { root } from './platform.mjs';

const files = ['native', 'bench/native', 'test/native', 'test/fuzz', 'examples/c-addon']
  .flatMap((folder) => filesBelow(folder))
  .filter((file) => !file.includes(`${path.sep}build${path.sep}`))
  .filter((file) => /\.(c|cc|h|inc|cu|cuh)$/.test(file));
const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
const tool = path.join(root, 'node_modules', 'clang-format-node', 'build', 'cli.js');
const { status } = spawnSync(process.execPath, [tool, ...mode, ...files], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
