// Package managers: the package is installed, its example runs, and its command is found.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { newProject, runExample, succeed } from './project.mjs';
import { tool } from './tools.mjs';

const node = process.execPath;
const doctor = ['efl', 'doctor', '--require', 'cpu'];

/**
 * `command`: the package manager. `execute`: the arguments that make it run an installed command.
 * `run`: what runs JavaScript in such a project, Node.js if nothing else is said.
 */
async function check(context, { command, install = ['install'], execute, run, env, settings }) {
  const folder = newProject(context);
  if (settings) writeFileSync(path.join(folder, '.yarnrc.yml'), settings.join('\n'));
  const [program, ...args] = command;
  await succeed(program, [...args, ...install], folder, env);
  await runExample(run ?? [node], folder, env);
  await succeed(program, [...args, ...execute, ...doctor], folder, env);
}

function npm(context) {
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline'];
  return check(context, { command: ['npm'], install, execute: ['exec', '--offline', '--'] });
}

function pnpm(context) {
  const command = [node, tool('pnpm', 'bin', 'pnpm.cjs')];
  const install = ['install', '--store-dir', path.join(context.work, 'pnpm')];
  return check(context, { command, install, execute: ['exec'] });
}

function yarn1(context) {
  const command = [node, tool('yarn', 'bin', 'yarn.js')];
  const install = [
    'install',
    '--non-interactive',
    '--cache-folder',
    path.join(context.work, 'yarn'),
  ];
  return check(context, { command, install, execute: ['run', '--silent'] });
}

/** With the files in node_modules, or without such a folder (pnp). */
function yarn(linker) {
  return (context) => {
    const command = [node, tool('@yarnpkg', 'cli-dist', 'bin', 'yarn.js')];
    const env = { YARN_GLOBAL_FOLDER: path.join(context.work, 'berry') };
    const settings = [
      `nodeLinker: ${linker}`,
      // Without it, only projects whose own type is "module" can import ES modules.
      'pnpEnableEsmLoader: true',
      'enableTelemetry: false',
      // A continuous integration is told to change no lock file, and here is none yet.
      'enableImmutableInstalls: false',
      '',
    ];
    return check(context, { command, env, settings, execute: ['run'], run: [...command, 'node'] });
  };
}

function bun(context) {
  const command = [tool('@oven', 'bun-linux-x64-baseline', 'bin', 'bun')];
  const env = { BUN_INSTALL_CACHE_DIR: path.join(context.work, 'bun') };
  return check(context, { command, env, execute: ['run'], run: command });
}

export const managers = {
  npm,
  pnpm,
  'yarn-1': yarn1,
  'yarn-4': yarn('node-modules'),
  'yarn-4-pnp': yarn('pnp'),
  'bun-install': bun,
};
