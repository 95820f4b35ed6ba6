/**
 * npm run bench [-- --quick] [--json FILE]
 *
 * Compares the package with other ways to compute the same, and with the time that a copy of the
 * logits takes: on one machine, in one run, in turn. Quote the ratios, not the milliseconds.
 */
import { writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { parseArgs } from 'node:util';
import { version } from '..';
import { ours } from './contenders/ours';
import { plainJavaScript } from './contenders/plain-javascript';
import { checkEqual, measure, type Timing } from './measure';
import { workloads, type Workload } from './workload';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const reference = plainJavaScript;
const contenders = [ours, plainJavaScript];

function compare(workload: Workload): Timing[] {
  const expected = reference.prepare(workload)();
  for (const contender of contenders) {
    checkEqual(contender.name, contender.prepare(workload)(), expected);
  }
  return measure(workload, contenders, options.quick ? 5 : 21);
}

function table(workload: Workload, timings: readonly Timing[]): string {
  const [copy] = timings;
  const own = timings.find(({ name }) => name === ours.name)!;
  const lines = timings.map(({ name, median, lower, upper }) =>
    [
      name.padEnd(48),
      `${((median * 1e6) / workload.logits.length).toFixed(2)} ns/logit`.padStart(16),
      `${(median / copy!.median).toFixed(1)} copies`.padStart(14),
      `${(median / own.median).toFixed(1)} x ours`.padStart(14),
      `+-${((100 * (upper - lower)) / 2 / median).toFixed(0)} %`.padStart(8),
    ].join(''),
  );
  return [`${workload.name}: loss, gradient and statistics`, ...lines].join('\n');
}

const machine = { cpu: cpus()[0]?.model ?? 'unknown', platform: `${platform()}-${arch()}` };
console.log(`equalized-focal-loss ${version}, Node.js ${process.versions.node}, ${machine.cpu}\n`);
const results = workloads(options.quick ? 'quick' : 'full').map((workload) => {
  const timings = compare(workload);
  console.log(`${table(workload, timings)}\n`);
  return { workload: workload.name, timings };
});
if (options.json !== undefined) {
  const report = { version, node: process.versions.node, machine, results };
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
}
