// Fuzzes a part of the package, with the inputs stored in test/fuzz/corpus/<target> and those that
// earlier runs have found:
//
//   npm run fuzz -- <library|safetensors> [--seconds N] [--minimize] [INPUT ...]
//
// library      the C interface, by libFuzzer of Clang (CXX, or the newest clang++ there is), with the
//              sanitizers of addresses and undefined behaviour
// safetensors  the reader of state files, by test/fuzz/guided.mjs
//
// What is found goes to .cache/fuzz/<target>, an input at fault to .cache/fuzz/<target>-fault-*. INPUT runs these files and no others: an input at fault
// again. --minimize puts into the stored corpus what covers all that is stored and found.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { nameOf } from '../test/fuzz/inputs.mjs';
import { setCover } from '../test/fuzz/set-cover.mjs';
import { root } from './platform.mjs';

/** Stored inputs of the C interface. */
const mostStored = 60;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    minimize: { type: 'boolean', default: false },
  },
});
const [target, ...inputs] = positionals;
const stored = path.join(root, 'test', 'fuzz', 'corpus', target ?? '');
const found = path.join(root, '.cache', 'fuzz', target ?? '');

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function compiler() {
  const names = ['clang++', ...[19, 18, 17, 16, 15, 14].map((version) => `clang++-${version}`)];
  const there = (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;
  const name = process.env.CXX ?? names.find(there);
  if (name) return name;
  console.error('The fuzzer of the C interface takes Clang 14 or newer, and its runtime library.');
  process.exit(1);
}

function buildLibrary() {
  const cxx = compiler();
  // CMake forgets its options where it finds another compiler than the last time.
  const folder = path.join(root, 'build-cmake-fuzz', path.basename(cxx));
  run('cmake', [
    ...['-S', root, '-B', folder, '-DCMAKE_BUILD_TYPE=Release', '-DEFL_ADDON=OFF', '-DEFL_FUZZ=ON'],
    ...['-DEFL_SANITIZE=address,undefined', `-DCMAKE_CXX_COMPILER=${cxx}`],
  ]);
  run('cmake', ['--build', folder, '--target', 'efl_fuzz_library', '--parallel', '2']);
  return path.join(folder, 'efl_fuzz_library');
}

function fuzzLibrary() {
  const fuzzer = buildLibrary();
  // Long inputs from the beginning: it takes some hundred bytes to make several calls.
  const limits = ['-max_len=1024', '-len_control=0', '-timeout=20', '-rss_limit_mb=2048'];
  limits.push(`-artifact_prefix=${found}-fault-`);
  const env = { UBSAN_OPTIONS: 'print_stacktrace=1' };
  if (inputs.length > 0) return run(fuzzer, [...limits, ...inputs], env);
  if (options.minimize) return minimizeLibrary(fuzzer, limits, env);
  run(
    fuzzer,
    [...limits, `-max_total_time=${options.seconds}`, '-print_final_stats=1', found, stored],
    env,
  );
}

/** The inputs that cover most: nearly each of thousands covers something that no other does. */
function minimizeLibrary(fuzzer, limits, env) {
  const scratch = mkdtempSync(`${found}-merge-`);
  const log = path.join(scratch, 'log');
  const merged = path.join(scratch, 'merged');
  mkdirSync(merged);
  const merge = ['-set_cover_merge=1', '-use_counters=0', `-merge_control_file=${log}`];
  run(fuzzer, [...limits, ...merge, merged, stored, found], env);
  const [count, , ...lines] = readFileSync(log, 'utf8').split('\n');
  const features = Array.from({ length: Number(count) }, () => []);
  for (const line of lines.filter((each) => each.startsWith('FT '))) {
    const [at, ...list] = line.split(' ').slice(1).map(Number);
    features[at] = list;
  }
  const kept = setCover(features, mostStored).map((at) => readFileSync(lines[at]));
  rmSync(stored, { recursive: true });
  mkdirSync(stored);
  for (const input of kept) writeFileSync(path.join(stored, nameOf(input)), input);
  rmSync(scratch, { recursive: true });
}

function fuzzSafetensors() {
  run(process.execPath, [path.join(root, 'scripts', 'ensure-built.mjs')]);
  const folder = path.join(root, 'test', 'fuzz');
  run(process.execPath, [
    ...[path.join(folder, 'guided.mjs'), path.join(folder, 'safetensors.ts')],
    ...['--instrument', path.join(root, 'lib', 'state'), '--corpus', stored, '--found', found],
    ...['--dictionary', path.join(folder, 'safetensors.dict'), '--seconds', options.seconds],
    ...(options.minimize ? ['--minimize'] : []),
    ...inputs,
  ]);
}

const targets = { library: fuzzLibrary, safetensors: fuzzSafetensors };
if (!Object.hasOwn(targets, target ?? '')) {
  console.error(`What to fuzz: ${Object.keys(targets).join(' or ')}.`);
  process.exit(2);
}
for (const folder of [stored, found]) mkdirSync(folder, { recursive: true });
targets[target]();
