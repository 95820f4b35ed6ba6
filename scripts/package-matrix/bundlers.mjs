// Bundlers: the recipes of docs/bundling.md, each in its place and moved.
import path from 'node:path';
import { root } from './package.mjs';
import { succeed } from './project.mjs';

const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');

function bundles(name) {
  return async ({ tarball }) => {
    const args = ['test/process/bundlers.long.test.ts', '--testNamePattern', name];
    const env = { EFL_TARBALL: tarball };
    const output = await succeed(process.execPath, [jest, ...args], root, env);
    if (!/^Tests: .*\d+ passed/m.test(output)) throw new Error(`no test has ${name} in its name`);
  };
}

export const bundlers = Object.fromEntries(
  ['esbuild', 'webpack', 'rollup', 'vite'].map((name) => [name, bundles(name)]),
);
