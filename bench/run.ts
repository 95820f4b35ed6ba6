/** A whole run: which contenders, on which workloads, and what is reported of them. */
import type { Listed } from './contenders';
import { timesByDistribution } from './distributions';
import { fullPace, quickPace, type ContestPace } from './entrant';
import { distributionFigures, figuresOf, type Figures } from './figures';
import { instructionSets } from './host/instruction-sets';
import { describeMachine } from './measure/machine';
import { measure, type Outcome } from './contest';
import type { Options } from './options';
import { withProgress } from './host/progress';
import type { DistributionTimes, Figure, Report, WorkloadResult } from './report/report';
import { copyBandwidth, workloadResult } from './results';
import { messageOf } from './host/message';
import { figuresFrom } from './script';
import { runStudies } from './study/studies';
import { allThreads } from './host/threads';
import { fullWorkloads, nameOf, quickWorkloads } from './workload/workload';

/** Shown as soon as it is known: a run takes long. */
export interface Audience {
  workload(result: WorkloadResult): void;
  distributions(frame: Pick<Report, 'machine' | 'distributions'>): void;
  figures(figures: readonly Figure[], notMeasured: readonly string[]): void;
}

export async function runBenchmark(
  options: Options,
  contenders: readonly Listed[],
  frame: Pick<Report, 'package' | 'command'>,
  audience: Audience,
): Promise<Report> {
  const pace = paceOf(options);
  const chosen = choose(contenders, options.only);
  const outcomes: Outcome[] = [];
  const workloads: WorkloadResult[] = [];
  for (const workload of options.shapes ?? (options.quick ? quickWorkloads : fullWorkloads)) {
    const suitable = chosen.filter((one) => workload.gamma !== 'two' || one.alsoWithGammaTwo);
    try {
      const outcome = await withProgress(nameOf(workload), (show) =>
        measure(workload, suitable, pace, show),
      );
      workloads.push(workloadResult(outcome));
      outcomes.push(outcome);
      audience.workload(workloads.at(-1)!);
    } catch (error) {
      // The others are still worth something.
      console.error(`bench: ${nameOf(workload)} is left out: ${messageOf(error)}`);
    }
  }
  if (outcomes.length === 0) throw new Error('no workload could be measured');
  const machine = describeMachine(instructionSets());
  const distributions = isNarrowed(options) ? [] : await timesOfDistributions(options);
  audience.distributions({ machine, distributions });
  const compared = figuresOf(outcomes);
  const programs = await figuresOfPrograms(options);
  const figures = [...compared.figures, ...distributionFigures(distributions), ...programs.figures];
  const notMeasured = [...compared.notMeasured, ...programs.notMeasured];
  audience.figures(figures, notMeasured);
  return {
    ...{ schema: 1, ...frame, created: new Date().toISOString() },
    machine,
    copyBandwidth: copyBandwidth(outcomes),
    workloads,
    distributions,
    figures,
    notMeasured,
    studies: options.study ? await runStudies(options) : [],
  };
}

function paceOf({ quick, rounds }: Options): ContestPace {
  const pace = quick ? quickPace : fullPace;
  return rounds === undefined ? pace : { ...pace, rounds };
}

/** Those asked for, and those that all are compared with. */
function choose(contenders: readonly Listed[], only: Options['only']): Listed[] {
  const unknown = only?.find((prefix) => !contenders.some(({ id }) => id.startsWith(prefix)));
  if (unknown !== undefined) {
    throw new Error(`no contender's id starts with '${unknown}'; --list prints them all`);
  }
  const ours = contenders.filter(({ family }) => family === 'ours');
  const fastest = ours.find(({ threads }) => threads === allThreads);
  return contenders.filter(
    (one) =>
      only === undefined ||
      one.family === 'copy' ||
      one === fastest ||
      only.some((prefix) => one.id.startsWith(prefix)),
  );
}

/** What is not asked of a workload is part of every run but those that were narrowed down. */
function isNarrowed({ shapes, only }: Options): boolean {
  return shapes !== undefined || only !== undefined;
}

async function timesOfDistributions({
  quick = false,
  rounds,
}: Options): Promise<DistributionTimes[]> {
  try {
    return await timesByDistribution(quick, rounds);
  } catch (error) {
    console.error(`bench: the distributions of logits are left out: ${messageOf(error)}`);
    return [];
  }
}

/** What is measured by programs of its own. */
async function figuresOfPrograms(options: Options): Promise<Figures> {
  if (isNarrowed(options)) return { figures: [], notMeasured: [] };
  const one = { EFL_NUM_THREADS: '1' };
  const all = [await figuresOfProgram('overhead of a call', 'overhead', [], one)];
  all.push(await figuresOfProgram('event loop', 'event-loop', [], {}));
  for (const isa of instructionSets()) {
    all.push(await figuresOfProgram(`accuracy of ${isa}`, 'accuracy', [], { EFL_CPU_ISA: isa }));
  }
  all.push(
    await figuresOfProgram('training step', 'training-step', options.quick ? ['--quick'] : [], one),
  );
  return {
    figures: all.flatMap(({ figures }) => figures),
    notMeasured: all.flatMap(({ notMeasured }) => notMeasured),
  };
}

async function figuresOfProgram(
  title: string,
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Figures> {
  try {
    const figures = await withProgress(title, () => figuresFrom(name, args, environment));
    return { figures, notMeasured: [] };
  } catch (error) {
    return { figures: [], notMeasured: [`${title} (${messageOf(error)})`] };
  }
}
