// Compiles the CUDA kernels for every architecture, or for those that are named, and compares what
// they need with the recorded table: a spilled register, or more registers than recorded, is an error.
//
//   node scripts/check-kernels.mjs [--update] [--gpus 75,90]
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { filesBelow } from './fingerprint.mjs';
import { root } from './platform.mjs';

const table = path.join(root, 'test', 'native', 'registers.json');
const [, listed] = readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8').match(
  /set\(EFL_CUDA_ARCHITECTURES ([\d ]+) CACHE/,
);
const { values: options } = parseArgs({
  options: { update: { type: 'boolean' }, gpus: { type: 'string' } },
});
const architectures = options.gpus?.split(',') ?? listed.split(' ');
if (options.update && options.gpus) throw new Error('--update records every architecture');
const launching = ['finish.cu', 'reduction.cu', 'settle.cu', 'survey.cu'];

/** What ptxas says of each kernel of a file: registers and bytes of spills. */
async function compile(file, architecture) {
  const flags = ['-std=c++17', '-O3', '--expt-relaxed-constexpr', '-Xptxas', '-v', '-cubin'];
  const args = [...flags, `-arch=sm_${architecture}`, '-o', '/dev/null', file];
  const { stderr } = await promisify(execFile)('nvcc', args, { cwd: root, maxBuffer: 2 ** 26 });
  return [
    ...stderr.matchAll(
      /entry function '(\w+)'[^]*?(\d+) bytes spill stores[^]*?Used (\d+) registers/g,
    ),
  ].map(([, symbol, spills, registers]) => ({
    symbol,
    spills: Number(spills),
    registers: Number(registers),
  }));
}

function readable(symbols) {
  const { stdout } = spawnSync('c++filt', [], { input: symbols.join('\n'), encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((name) =>
      name
        .replace(/^void /, '')
        .replace(/\(efl::.*$/, '')
        .replace(/\(anonymous namespace\)::/g, '')
        .replaceAll('efl::cuda::', '')
        .replaceAll('efl::', ''),
    );
}

async function measure() {
  const files = filesBelow('native/cuda').filter(
    (file) => path.basename(file).startsWith('kernels_') || launching.includes(path.basename(file)),
  );
  const jobs = architectures.flatMap((architecture) =>
    files.map((file) => ({ file, architecture })),
  );
  const found = {};
  const worker = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const kernels = await compile(job.file, job.architecture);
      if (kernels.length === 0) throw new Error(`nvcc says nothing of kernels in ${job.file}`);
      const names = readable(kernels.map(({ symbol }) => symbol));
      kernels.forEach(({ spills, registers }, index) => {
        (found[names[index]] ??= {})[`sm_${job.architecture}`] = spills
          ? { registers, spills }
          : registers;
      });
    }
  };
  await Promise.all([worker(), worker()]);
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

if (spawnSync('nvcc', ['--version']).status !== 0) {
  console.log('The kernels were not compiled for GPUs: nvcc was not found.');
  process.exit(process.env.EFL_REQUIRE_NVCC === '1' ? 1 : 0);
}
const found = await measure();
if (options.update) {
  writeFileSync(table, `${JSON.stringify(found, null, 2)}\n`);
  process.exit(0);
}
const recorded = JSON.parse(readFileSync(table, 'utf8'));
const numbers = (entry) => (typeof entry === 'number' ? { registers: entry, spills: 0 } : entry);
const worse = Object.entries(found).flatMap(([kernel, byArchitecture]) =>
  Object.entries(byArchitecture).flatMap(([architecture, entry]) => {
    const now = numbers(entry);
    const before = numbers(recorded[kernel]?.[architecture] ?? { registers: 0, spills: 0 });
    const grown = now.registers > before.registers || now.spills > before.spills;
    return grown
      ? [`${kernel} (${architecture}): ${JSON.stringify(now)}, recorded ${JSON.stringify(before)}`]
      : [];
  }),
);
// One that is no longer there would leave its row behind, and hide a kernel that nobody compiles.
const gone = Object.entries(recorded).flatMap(([kernel, byArchitecture]) =>
  Object.keys(byArchitecture)
    .filter((architecture) => architectures.includes(architecture.replace('sm_', '')))
    .filter((architecture) => found[kernel]?.[architecture] === undefined)
    .map((architecture) => `${kernel} (${architecture})`),
);
for (const kernel of gone) console.error(`${kernel}: recorded, but not compiled`);
for (const line of worse) console.error(line);
const count = Object.keys(found).length;
console.log(
  `${count} kernels x ${architectures.length} architectures: ${worse.length} worse than recorded.`,
);
process.exit(worse.length + gone.length > 0 ? 1 : 0);
