import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expectSuccess, root, runNode } from './child';
import { hasTools } from './tools';

const minutes = 60_000;
const folder = path.join(root, 'examples');
const hasCompiler = hasTools('The example in C', 'cc', 'make', 'python3');

/** What an example prints at its end; each of them fails by itself where something is wrong. */
const examples: Readonly<Record<string, RegExp>> = {
  'two-layer-network': /^loss \d\.\d+ -> 0\.0\d+$/m,
  'jax-js': /^loss \d\.\d+ -> 0\.\d+$/m,
  'onnxruntime-head': /^loss \d\.\d+ -> 0\.\d+$/m,
  'data-parallel-workers': /^any number of workers gives the same to the last bit$/m,
  ...(hasCompiler ? { 'c-addon': /^equal to the last bit$/m } : {}),
};

test.each(Object.entries(examples))(
  '%s runs and finds what it should',
  async (name, found) => {
    const ended = await runNode([path.join(root, 'scripts', 'run-example.mjs'), name]);
    expectSuccess(ended);
    expect(ended.stdout).toMatch(found);
  },
  3 * minutes,
);

test('every example is in the list of them', () => {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map(({ name }) => name);
  const readme = readFileSync(path.join(folder, 'README.md'), 'utf8');
  for (const name of names) expect(readme).toContain(`| [${name}](${name})`);
});
