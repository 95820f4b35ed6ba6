// node scripts/run-example.mjs <name> [arguments...]
//
// Runs the start script of examples/<name>, after installing its dependencies where that is needed.
// The start script must be a plain `node ...` command: it is started without a shell or npm between,
// so that signals and the exit code pass through.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const examples = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples');

// Passed on to the example, which decides what they mean: it may have work to save. This process
// ends when the example has ended.
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

function fail(message) {
  console.error(`run-example: ${message}`);
  process.exit(2);
}

/** Whether the dependencies were never installed, or the lock file has changed since. */
function needsInstall(directory) {
  const installed = join(directory, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return true;
  return statSync(join(directory, 'package-lock.json')).mtimeMs > statSync(installed).mtimeMs;
}

/** Runs to the end; resolves to the exit code, 128 + n after signal n as shells have it. */
function run(command, args, options) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

function installDependencies(directory) {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // What npm says goes to stderr: stdout is for the example's results.
  const options = { cwd: directory, stdio: ['inherit', 2, 2] };
  const npm = process.env.npm_execpath;
  // npm itself, where it started this script: on Windows `npm` alone is not a program.
  if (npm?.endsWith('.js')) return run(process.execPath, [npm, ...args], options);
  return run('npm', args, { ...options, shell: process.platform === 'win32' });
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

if (needsInstall(directory)) {
  console.error(`Installing the dependencies of examples/${name} (npm ci, first use only) ...`);
  const code = await installDependencies(directory);
  if (code !== 0) {
    console.error(`run-example: npm ci failed with code ${code} in ${directory}`);
    process.exit(code);
  }
}

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
