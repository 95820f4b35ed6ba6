// Checks the packed package with what users have: package managers, runtimes, TypeScript, bundlers.
//
//   node scripts/check-package.mjs [--only NAME,...] [TARBALL]
//
// NAME is an entry, such as pnpm, or all of a kind: managers, runtimes, types, rules, bundlers. Without
// a tarball the build at hand is packed. What an entry needs and is not there makes it skipped, or
// failed with EFL_REQUIRE_TOOLS=1.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundlers } from './package-matrix/bundlers.mjs';
import { managers } from './package-matrix/managers.mjs';
import { root } from './package-matrix/package.mjs';
import { succeed } from './package-matrix/project.mjs';
import { rules } from './package-matrix/rules.mjs';
import { runtimes } from './package-matrix/runtimes.mjs';
import { installTools, NotThere } from './package-matrix/tools.mjs';
import { types } from './package-matrix/types.mjs';

const kinds = { managers, runtimes, types, rules, bundlers };
const entries = Object.assign({}, ...Object.values(kinds));

function chosenEntries(only) {
  if (only === undefined) return Object.keys(entries);
  return only.split(',').flatMap((name) => {
    if (name in kinds) return Object.keys(kinds[name]);
    if (name in entries) return [name];
    const known = [...Object.keys(kinds), ...Object.keys(entries)];
    console.error(`Unknown entry '${name}': ${known.join(', ')}.`);
    process.exit(2);
  });
}

/** Without prepack: what is packed is the build at hand. */
async function pack(work) {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', work];
  const output = await succeed('npm', args, root);
  return path.join(work, output.trim().split('\n').at(-1));
}

/** Checks one entry and prints a line of it; whether it is all right. */
async function isRight(name, context) {
  const start = performance.now();
  const print = (state, reason = '') => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `${state.padEnd(9)} ${name.padEnd(16)} ${seconds.padStart(5)} s  ${reason}`.trimEnd(),
    );
  };
  try {
    await entries[name](context);
    print('ok');
    return true;
  } catch (error) {
    const isSkipped = error instanceof NotThere && process.env.EFL_REQUIRE_TOOLS !== '1';
    print(isSkipped ? 'not there' : 'failed', error.message);
    return isSkipped;
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' } },
});
const chosen = chosenEntries(values.only);
const work = realpathSync(mkdtempSync(path.join(tmpdir(), 'efl matrix-')));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

await installTools();
const tarball = positionals[0] ? path.resolve(positionals[0]) : await pack(work);
for (const name of chosen) {
  if (!(await isRight(name, { tarball, work }))) process.exitCode = 1;
}
