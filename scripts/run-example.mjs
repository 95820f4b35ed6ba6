// node scripts/run-example.mjs <name> [arguments...]
//
// Runs the start script of examples/<name>, after installing its dependencies where that is needed.
// Examples import the package by its name, as their users would; in the repository that is a link in
// examples/node_modules, where every example finds it.
// The start script must be a plain `node ...` command: it is started without a shell or npm between,
// so that signals and the exit code pass through.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies, run } from './install-dependencies.mjs';

const examples = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples');

function fail(message) {
  console.error(`run-example: ${message}`);
  process.exit(2);
}

function linkPackage() {
  const link = join(examples, 'node_modules', 'equalized-focal-loss');
  if (existsSync(link)) return;
  mkdirSync(dirname(link), { recursive: true });
  try {
    symlinkSync(join(examples, '..'), link, 'junction');
  } catch (error) {
    if (error.code !== 'EEXIST') throw error; // another example has just been first
  }
}

const [name, ...args] = process.argv.slice(2);
const names = readdirSync(examples).filter((entry) =>
  existsSync(join(examples, entry, 'package.json')),
);
if (!names.includes(name)) {
  fail(
    `${name === undefined ? 'which example?' : `no example '${name}'.`} There is: ${names.join(', ')}`,
  );
}

const directory = join(examples, name);
const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
const [program, ...startArgs] = scripts.start.split(/\s+/);
if (program !== 'node') fail(`the start script of ${name} must be a plain node command`);

const code = await installDependencies(directory, `examples/${name}`);
if (code !== 0) {
  console.error(`run-example: npm ci failed with code ${code} in ${directory}`);
  process.exit(code);
}

linkPackage();
const script = process.env.npm_lifecycle_event;
process.exitCode = await run(process.execPath, [...startArgs, ...args], {
  cwd: directory,
  env: {
    ...process.env,
    INIT_CWD: process.env.INIT_CWD ?? process.cwd(),
    // What the user types to run the example again, for its messages.
    EXAMPLE_COMMAND: script ? `npm run ${script} --` : `node scripts/run-example.mjs ${name}`,
  },
});
