/** All figures of a run: per loss and seed, their mean and spread, and differences between losses. */
import { AP_NAMES, type ApName, type ExperimentConfig, type LossName } from '../config.ts';
import { groupOf, type Group } from '../data/counts.ts';
import { loadClassSplit } from '../data/class-split.ts';
import { groupMeans, GROUPS_AND_ALL, type GroupFigures } from '../evaluation/groups.ts';
import type { ClassFigures } from '../evaluation/evaluate.ts';
import type { ImageDetections } from '../evaluation/operating-point.ts';
import { planSeed } from '../experiment/seed-plan.ts';
import { median } from '../training/history.ts';
import type { TrainedLoss } from '../workers/tasks.ts';
import { chooseScenes, type SceneChoice } from './scene-choice.ts';

export interface ClassReport extends ClassFigures {
  name: string;
  group: Group;
  /** Training images. */
  images: number;
  gradientRatio?: number;
  focusingFactor?: number;
}

export interface LossReport {
  loss: LossName;
  seed: number;
  steps: number;
  /** Average precision in percent, mean over the classes of a group. */
  ap: Record<ApName, GroupFigures>;
  /** Mean score of the right class at its objects. */
  trueClassScore: GroupFigures;
  /** Objects where the right class scores highest, in percent. */
  topOne: GroupFigures;
  /** Objects found with as many detections as there are objects, in percent. */
  found: GroupFigures;
  lossMilliseconds: number;
  perClass: ClassReport[];
  history: TrainedLoss['history'];
  /** The most certain detections on the scenes that were chosen for the seed. */
  examples: ImageDetections[];
}

export interface Spread {
  mean: number;
  /** Sample standard deviation over the seeds; absent for one seed. */
  deviation?: number;
  values: number[];
}

export type GroupSpread = Record<keyof GroupFigures, Spread>;

export interface LossSummary {
  loss: LossName;
  ap: Record<ApName, GroupSpread>;
  trueClassScore: GroupSpread;
  topOne: GroupSpread;
  found: GroupSpread;
  lossMilliseconds: Spread;
}

/** `loss` minus `baseline` in percentage points, seed by seed. */
export interface Difference {
  loss: LossName;
  baseline: LossName;
  ap: Record<ApName, GroupSpread>;
}

export interface Summary {
  config: ExperimentConfig;
  reports: LossReport[];
  losses: LossSummary[];
  differences: Difference[];
  /** One for each seed. */
  scenes: SceneChoice[];
}

export function summarize(config: ExperimentConfig, results: readonly TrainedLoss[]): Summary {
  const scenes = config.seeds.map((seed) =>
    chooseScenes(
      config,
      seed,
      results.filter((result) => result.seed === seed),
    ),
  );
  const reports = results.map((result) =>
    reportOf(
      config,
      result,
      scenes.find(({ seed }) => seed === result.seed)!,
    ),
  );
  const of = (loss: LossName): LossReport[] => reports.filter((report) => report.loss === loss);
  return {
    config,
    reports,
    losses: config.losses.map((loss) => summarizeLoss(loss, of(loss))),
    differences: config.losses
      .filter((baseline) => baseline !== 'efl' && config.losses.includes('efl'))
      .map((baseline) => difference('efl', baseline, of('efl'), of(baseline))),
    scenes,
  };
}

function reportOf(
  config: ExperimentConfig,
  result: TrainedLoss,
  { chosen }: SceneChoice,
): LossReport {
  const names = loadClassSplit().targetPool;
  const plan = planSeed(config, result.seed, names.length);
  const means = (pick: (figures: ClassFigures) => number): GroupFigures =>
    groupMeans(result.perClass.map(pick), plan.groupCounts);
  const perClass = result.perClass.map((figures, c) => ({
    name: names[plan.classSprites[c]],
    group: groupOf(plan.groupCounts[c]),
    images: plan.counts[c],
    ...figures,
    ...(result.gradientRatio && { gradientRatio: result.gradientRatio[c] }),
    ...(result.focusingFactor && { focusingFactor: result.focusingFactor[c] }),
  }));
  const { loss, seed, steps, history, mostCertain } = result;
  return {
    loss,
    seed,
    steps,
    ap: forEachAp((name) => means((figures) => 100 * figures[name])),
    trueClassScore: means((figures) => figures.trueClassScore),
    topOne: means((figures) => 100 * figures.topOne),
    found: means((figures) => 100 * figures.found),
    lossMilliseconds: median(history.lossMilliseconds),
    perClass,
    history,
    examples: chosen.map(({ image }) => mostCertain[image]),
  };
}

function summarizeLoss(loss: LossName, reports: readonly LossReport[]): LossSummary {
  return {
    loss,
    ap: forEachAp((name) => spreadByGroup(reports.map((report) => report.ap[name]))),
    trueClassScore: spreadByGroup(reports.map((report) => report.trueClassScore)),
    topOne: spreadByGroup(reports.map((report) => report.topOne)),
    found: spreadByGroup(reports.map((report) => report.found)),
    lossMilliseconds: spread(reports.map((report) => report.lossMilliseconds)),
  };
}

function difference(
  loss: LossName,
  baseline: LossName,
  reports: readonly LossReport[],
  baselines: readonly LossReport[],
): Difference {
  const ap = forEachAp((name) =>
    spreadByGroup(
      reports.map((report, i) =>
        forEachGroup((group) => report.ap[name][group] - baselines[i].ap[name][group]),
      ),
    ),
  );
  return { loss, baseline, ap };
}

function forEachAp<T>(make: (name: ApName) => T): Record<ApName, T> {
  return Object.fromEntries(AP_NAMES.map((name) => [name, make(name)])) as Record<ApName, T>;
}

function forEachGroup<T>(make: (group: keyof GroupFigures) => T): Record<keyof GroupFigures, T> {
  return Object.fromEntries(GROUPS_AND_ALL.map((group) => [group, make(group)])) as Record<
    keyof GroupFigures,
    T
  >;
}

function spreadByGroup(figures: readonly GroupFigures[]): GroupSpread {
  return forEachGroup((group) => spread(figures.map((figure) => figure[group])));
}

function spread(values: number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, values };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)), values };
}
