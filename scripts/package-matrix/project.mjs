// A project of a user, in a folder of its own, that has the packed package for a dependency.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageName, root } from './package.mjs';

const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

/** The first example of the README, as an ES module and as CommonJS. */
export const example = /^```ts\n([^]*?)^```$/m.exec(readme)?.[1];
if (example === undefined) throw new Error('README.md has no example in TypeScript');
const inCommonJs = example.replace(
  /import (\{[^}]*\}) from ('[^']*');/g,
  'const $1 = require($2);',
);
export const programs = ['first.mjs', 'first.cjs'];

/** `work`: where the projects are, and what package managers keep. */
export function newProject({ tarball, work }) {
  const folder = mkdtempSync(path.join(work, 'a project-'));
  const dependencies = { [packageName]: `file:${tarball}` };
  const manifest = { name: 'user', version: '1.0.0', private: true, dependencies };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(path.join(folder, 'first.mjs'), example);
  writeFileSync(path.join(folder, 'first.cjs'), inCommonJs);
  return folder;
}

export async function newProjectOfNpm(context) {
  const folder = newProject(context);
  await succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], folder);
  return folder;
}

/** Of all package managers that of npm; npm's own settings stay. */
const registry = spawnSync('npm', ['config', 'get', 'registry'], {
  encoding: 'utf8',
}).stdout.trim();

/** What a shell of a user would give: nothing of ours, of a test runner or of `npm run`. */
function cleanEnvironment() {
  const isForeign = (name) =>
    /^(EFL_|JEST_|YARN_|npm_|NODE_(OPTIONS|PATH|ENV)$)/i.test(name) &&
    !/^npm_config_(cache|userconfig|globalconfig)$/.test(name);
  const kept = Object.entries(process.env).filter(([name]) => !isForeign(name));
  return {
    ...Object.fromEntries(kept),
    npm_config_registry: registry,
    YARN_NPM_REGISTRY_SERVER: registry,
  };
}

/** Runs a program to its end; resolves to its exit code and all that it printed. */
export function run(command, args, cwd, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/** What a program prints that has to end well. */
export async function succeed(command, args, cwd, env) {
  const { code, output } = await run(command, args, cwd, env);
  if (code === 0) return output;
  const name = path.basename(command);
  throw new Error(`${name} ${args.join(' ')} ended with ${code}\n${output.trim().slice(-3000)}`);
}

/** The loss that the example prints first, of the package in this repository. */
const expectedLoss = succeed(
  process.execPath,
  ['--input-type=module', '--eval', example],
  root,
).then(lossIn);

function lossIn(output) {
  return Number(/^\d\S*/m.exec(output)?.[0]);
}

/** Runs the example both ways; `command` is what runs a file in JavaScript. */
export async function runExample([command, ...args], folder, env) {
  const expected = await expectedLoss;
  for (const program of programs) {
    const output = await succeed(command, [...args, program], folder, env);
    if (lossIn(output) !== expected) {
      throw new Error(`${program} has not printed the loss ${expected} first:\n${output}`);
    }
  }
}
