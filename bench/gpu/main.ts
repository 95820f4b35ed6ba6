/** `npm run bench:gpu -- [options]`: this package on a GPU, beside a copy and other software there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { version } from '../..';
import { parseShapes } from '../options';
import { messageOf } from '../script';
import type { Workload } from '../workload';
import { emulatedPlan, fullPlan, quickPlan, type Plan } from './plan';
import { runGpuBenchmark } from './run';
import { markdownOf } from './tables';

/** Something was measured, and something else failed. */
const faulty = 1;
/** Nothing was measured. */
const refused = 2;

interface Options {
  readonly quick?: boolean;
  readonly emulated?: boolean;
  readonly shapes?: readonly Workload[];
  readonly out?: string;
}

const explanation = `
Every operation is compared with float64 first and timed on the device afterwards, with inputs that
no cache holds, as a share of the bandwidth of a copy in the same run. Peers in Python run where
python3 (or EFL_BENCH_PYTHON) has PyTorch with CUDA.

Exit code: 0, or 1 where something failed, or 2 where nothing was measured.`;

function parseOptions(args: readonly string[]): Options {
  return new Command('bench:gpu')
    .description('Measure this package on the GPU of this machine.')
    .option('--quick', 'two shapes and few rounds')
    .option('--shapes <list>', 'workloads as ROWSxCLASSES, with :2 for gamma 2', parseShapes)
    .option('--out <folder>', 'store report.json and report.md')
    .option('--emulated', 'run everything once on the emulated device, without times')
    .addHelpText('after', explanation)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : refused))
    .parse(args, { from: 'user' })
    .opts<Options>();
}

function planOf({ quick, emulated, shapes }: Options): Plan {
  const plan = emulated ? emulatedPlan : quick ? quickPlan : fullPlan;
  return shapes === undefined ? plan : { ...plan, workloads: shapes };
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.out !== undefined) mkdirSync(options.out, { recursive: true });
  const report = await runGpuBenchmark(planOf(options), {
    package: `equalized-focal-loss ${version}`,
    command: ['bench:gpu', ...args].join(' '),
  });
  const markdown = markdownOf(report);
  console.log(markdown);
  if (options.out !== undefined) {
    const store = (name: string, content: string): void => {
      writeFileSync(path.join(options.out!, name), content);
    };
    store('report.json', `${JSON.stringify(report, null, 2)}\n`);
    store('report.md', markdown);
  }
  if (report.workloads.length === 0) return refused;
  return report.failures.length > 0 ? faulty : 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(`bench:gpu: ${messageOf(error)}`);
    process.exit(refused);
  },
);
