// Runtimes: the example runs on each, and Node.js that is too old says so.
import path from 'node:path';
import { oldestNode } from './package.mjs';
import { newProjectOfNpm, programs, run, runExample } from './project.mjs';
import { tool } from './tools.mjs';

const allowed = ['--allow-ffi', '--allow-read', '--allow-env', '--allow-sys'];

const node = (major) => tool(`node-${major}`, 'bin', 'node');

function takes(command) {
  return async (context) => {
    const env = { DENO_DIR: path.join(context.work, 'deno') };
    await runExample(command(), await newProjectOfNpm(context), env);
  };
}

async function refusesNode18(context) {
  const old = node(18);
  const folder = await newProjectOfNpm(context);
  for (const program of programs) {
    const { code, output } = await run(old, [program], folder);
    if (code === 0 || !output.includes(`use Node.js ${oldestNode} or newer`)) {
      throw new Error(`Node.js 18 is not refused:\n${output}`);
    }
  }
}

export const runtimes = {
  'node-18-refused': refusesNode18,
  ...Object.fromEntries(
    [20, 22, 24, 26].map((major) => [`node-${major}`, takes(() => [node(major)])]),
  ),
  bun: takes(() => [tool('@oven', 'bun-linux-x64-baseline', 'bin', 'bun')]),
  // docs/bundling.md has these permissions.
  deno: takes(() => [tool('@deno', 'linux-x64-glibc', 'deno'), 'run', '--no-prompt', ...allowed]),
};
