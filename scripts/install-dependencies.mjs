// node scripts/install-dependencies.mjs <folder> [options of npm ci] | --all
//
// Installs the dependencies of a folder that is a package of its own, where that is needed: of one, or
// of the benchmark and of every example.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Passed on to the child, which decides what they mean: it may have work to save. This process ends
// when the child has ended.
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs to the end; resolves to the exit code, 128 + n after signal n as shells have it. */
export function run(command, args, options) {
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

/** Whether the dependencies were never installed, or the lock file has changed since. */
function needsInstall(directory) {
  const installed = join(directory, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return true;
  return statSync(join(directory, 'package-lock.json')).mtimeMs > statSync(installed).mtimeMs;
}

function npmCi(directory, options) {
  const args = [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...options,
  ];
  // What npm says goes to stderr: stdout is for results.
  const spawning = { cwd: directory, stdio: ['inherit', 2, 2] };
  const npm = process.env.npm_execpath;
  // npm itself, where it started this script: on Windows `npm` alone is not a program.
  if (npm?.endsWith('.js')) return run(process.execPath, [npm, ...args], spawning);
  return run('npm', args, { ...spawning, shell: process.platform === 'win32' });
}

/** The folders of the repository that are packages of their own. */
function packages() {
  const examples = readdirSync('examples').map((name) => join('examples', name));
  return ['bench', ...examples].filter((name) => existsSync(join(name, 'package-lock.json')));
}

/** Resolves to the exit code: 0 where everything is there. `options` are more of npm's. */
export async function installDependencies(directory, name, options = []) {
  if (!needsInstall(directory)) return 0;
  console.error(`Installing the dependencies of ${name} (npm ci, first use only) ...`);
  return npmCi(directory, options);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [folder, ...options] = process.argv.slice(2);
  for (const one of folder === '--all' ? packages() : [folder]) {
    process.exitCode = await installDependencies(one, one, options);
    if (process.exitCode !== 0) break;
  }
}
