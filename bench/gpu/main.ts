/** `npm run bench:gpu -- [options]`: this package on a GPU, beside a copy and other software there. */
import { version } from '../..';
import { newCommand, type CommonOptions } from '../command/options';
import { faulty, refused, runProgram } from '../command/program';
import { makeRoom, store } from '../command/store';
import { markdownOf } from '../report/markdown';
import { emulatedPlan, fullPlan, quickPlan, type Plan } from './plan';
import { runGpuBenchmark } from './run';

interface Options extends CommonOptions {
  readonly emulated?: boolean;
}

const explanation = `
Every operation is compared with float64 first and timed on the device afterwards, with inputs that
no cache holds, as a share of the bandwidth of a copy in the same run. Peers in Python run where
python3 (or EFL_BENCH_PYTHON) has PyTorch with CUDA.

Exit code: 0, or 1 where something failed, or 2 where nothing was measured.`;

function parseOptions(args: readonly string[]): Options {
  return newCommand('bench:gpu', 'Measure this package on the GPU of this machine.')
    .option('--emulated', 'run everything once on the emulated device, without times')
    .addHelpText('after', explanation)
    .parse(args, { from: 'user' })
    .opts<Options>();
}

function planOf({ quick, emulated, shapes }: Options): Plan {
  const plan = emulated ? emulatedPlan : quick ? quickPlan : fullPlan;
  return shapes === undefined ? plan : { ...plan, workloads: shapes };
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  makeRoom(options);
  const report = await runGpuBenchmark(planOf(options), {
    package: `equalized-focal-loss ${version}`,
    command: ['bench:gpu', ...args].join(' '),
  });
  console.log(markdownOf(report));
  await store(report, options);
  if (report.gpu!.workloads.length === 0) return refused;
  return report.notMeasured.length > 0 ? faulty : 0;
}

runProgram('bench:gpu', main);
