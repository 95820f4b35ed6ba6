// The steps of the bundle, one after the other; run.sh starts this. See README.md.
import { spawn, spawnSync } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const program = path.join('scripts', 'gpu-bundle', 'every-kernel.cjs');
const sanitizers = ['memcheck', 'racecheck', 'initcheck', 'synccheck'];
/** Those of --quick: tensors of a device, and of arrays of the host what is most used. */
const quickTests = ['test/device/device-tensors', 'test/unit/equalized-focal-loss'];

const usage = 'usage: run.sh [--out DIR] [--quick] [--emulated]';

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: 'string', default: 'gpu-results' },
        quick: { type: 'boolean', default: false },
        emulated: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (!values.help) return values;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}

const { quick, emulated, out: givenOut } = readOptions();
const out = path.resolve(givenOut);
const mark = emulated ? 'EMULATED: ' : '';

/** What steps run in: nothing of the caller's settings but a library and a Python of another place. */
function environment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(EFL_|NODE_OPTIONS|NODE_PATH|JEST_)/.test(name),
  );
  const library = deviceLibrary();
  const python = process.env.EFL_BENCH_PYTHON;
  return {
    ...Object.fromEntries(kept),
    ...(library ? { EFL_CUDA_LIBRARY: library } : {}),
    ...(python ? { EFL_BENCH_PYTHON: python } : {}),
  };
}

function deviceLibrary() {
  const given = process.env.EFL_CUDA_LIBRARY;
  if (given) return path.resolve(given);
  if (!emulated) return undefined;
  const bundled = path.join(root, 'test', 'emulated', 'libefl_cuda_emulated.so');
  if (existsSync(bundled)) return bundled;
  console.error('--emulated needs EFL_CUDA_LIBRARY, or a bundle made with --emulated');
  process.exit(2);
}

const env = environment();

/** Runs a program in the bundle's folder; what it prints is shown and stored. Its exit code. */
async function run(log, command, args, extra = {}) {
  const file = createWriteStream(path.join(out, log), { flags: 'a' });
  file.write(`${mark}${[command, ...args].join(' ')}\n`);
  const child = spawn(command, args, {
    cwd: root,
    env: { ...env, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      file.write(text);
      process.stdout.write(text);
    });
  }
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      file.write(`${error.message}\n`);
      resolve(`${command} did not start: ${error.message}`);
    });
    child.once('close', (status, signal) => resolve(status ?? signal));
  });
  file.end();
  await finished(file);
  return code;
}

const node = (log, args, extra) => run(log, process.execPath, args, extra);

function outcomeOf(code) {
  return code === 0
    ? { outcome: 'passed' }
    : { outcome: 'failed', reason: typeof code === 'number' ? `exit code ${code}` : code };
}

async function doctor() {
  const log = 'doctor.log';
  if (!emulated && has('nvidia-smi')) await run(log, 'nvidia-smi', []);
  return outcomeOf(
    await node(log, [path.join('dist', 'cli', 'main.js'), 'doctor', '--require', 'cuda']),
  );
}

async function tests() {
  const jest = path.join('node_modules', 'jest', 'bin', 'jest.js');
  const args = ['--ci', '--no-cache', '--json', '--outputFile', path.join(out, 'tests.json')];
  const chosen = quick ? quickTests : ['test/device', 'test/unit', 'test/properties'];
  const wanted = emulated ? {} : { EFL_REQUIRE_CUDA: '1' };
  const outcome = outcomeOf(
    await node('tests.log', [jest, ...args, ...chosen], { EFL_DEVICE: 'cuda', ...wanted }),
  );
  return { ...outcome, ...countsOf(path.join(out, 'tests.json')) };
}

function countsOf(file) {
  if (!existsSync(file)) return {};
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return { tests: { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests } };
}

async function kernels() {
  return outcomeOf(await node('kernels.log', [program, ...(quick ? ['--quick'] : [])]));
}

/** On the PATH, or where the CUDA toolkit puts it. */
function sanitizerPath() {
  const places = ['compute-sanitizer', '/usr/local/cuda/bin/compute-sanitizer'];
  return places.find((name) => has(name));
}

function has(command) {
  const { error } = spawnSync(command, ['--version'], { stdio: 'ignore' });
  return error === undefined;
}

async function sanitize(tool) {
  if (emulated) return { outcome: 'skipped', reason: 'EMULATED: no code runs on a GPU' };
  const sanitizer = sanitizerPath();
  if (!sanitizer) return { outcome: 'skipped', reason: 'compute-sanitizer was not found' };
  // The first run is that of its own kind; a small part is enough where every access is slow.
  const args = ['--tool', tool, '--error-exitcode', '3', process.execPath, program, '--quick'];
  return outcomeOf(await run(`${tool}.log`, sanitizer, args));
}

async function benchmark() {
  const args = ['--out', path.join(out, 'benchmark')];
  if (quick) args.push('--quick');
  if (emulated) args.push('--emulated');
  return outcomeOf(
    await node('benchmark.log', [path.join('dist', 'bench', 'gpu', 'main.js'), ...args]),
  );
}

const steps = [
  ['doctor', doctor],
  ['tests', tests],
  ['kernels', kernels],
  ...sanitizers.map((tool) => [tool, () => sanitize(tool)]),
  ['benchmark', benchmark],
];

function summaryOf(results) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return {
    schema: 1,
    package: `equalized-focal-loss ${version}`,
    created: new Date().toISOString(),
    emulated,
    quick,
    machine: {
      cpu: os.cpus()[0]?.model ?? 'unknown',
      cores: os.availableParallelism(),
      system: `${os.type()} ${os.release()}`,
      node: process.versions.node,
    },
    passed: results.every(({ outcome }) => outcome !== 'failed'),
    steps: results,
  };
}

function markdownOf({ package: name, steps: results }) {
  const rows = results.map(
    ({ step, outcome, reason = '' }) =>
      `| ${step} | ${outcome} | ${reason.replaceAll('|', '\\|')} |`,
  );
  return [
    `# ${mark}${name} on a GPU`,
    ...(emulated ? ['EMULATED on the CPU: nothing here is a figure of a GPU.'] : []),
    ['| step | outcome | reason |', '| --- | --- | --- |', ...rows].join('\n'),
    '',
  ].join('\n\n');
}

async function main() {
  mkdirSync(out, { recursive: true });
  const results = [];
  for (const [step, work] of steps) {
    console.log(`\n== ${mark}${step}`);
    let result;
    try {
      result = await work();
    } catch (error) {
      result = { outcome: 'failed', reason: error.message };
    }
    results.push({ step, ...result });
    // After each step: a run that is cut off leaves what is known so far.
    writeFileSync(
      path.join(out, 'summary.json'),
      `${JSON.stringify(summaryOf(results), null, 2)}\n`,
    );
  }
  const summary = summaryOf(results);
  const markdown = markdownOf(summary);
  writeFileSync(path.join(out, 'summary.md'), markdown);
  console.log(`\n${markdown}\n${mark}results are in ${out}`);
  return summary.passed ? 0 : 1;
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main();
}
