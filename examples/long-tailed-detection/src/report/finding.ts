/** What a run has shown, in a sentence made from its figures, whichever way they came out. */
import { detectionCaps, LOSS_TITLES, type ApName, type ExperimentConfig } from '../config.ts';
import { enumerate, formatSpread, plural } from './format.ts';
import type { Difference, Spread, Summary } from './summary.ts';

/** A difference is a gain or a loss where every seed says so; one seed cannot tell it from chance. */
export type Verdict = 'gain' | 'loss' | 'unclear' | 'one seed';

export function verdictOf({ values }: Pick<Spread, 'values'>): Verdict {
  if (values.length < 2) return 'one seed';
  if (values.every((value) => value > 0)) return 'gain';
  return values.every((value) => value < 0) ? 'loss' : 'unclear';
}

/** The difference that a run is about: to Focal Loss, or to cross-entropy where that is all. */
export const mainDifference = ({
  differences,
}: Pick<Summary, 'differences'>): Difference | undefined =>
  differences.find(({ baseline }) => baseline === 'fl') ?? differences.at(0);

export function describeFinding(summary: Summary): string {
  const { config } = summary;
  const difference = mainDifference(summary);
  const length = `After ${plural(config.epochs, 'epoch')}`;
  if (!difference) return `${length}, ${rareFigures(summary)} (${describeSeeds(config)}).`;
  const { apBudget, ap100, apUncapped } = difference.ap;
  const cap = detectionCaps(config.classes).apBudget;
  return (
    `${length}, ${LOSS_TITLES[difference.loss]} ` +
    `${comparison(apBudget.rare, LOSS_TITLES[difference.baseline])} with at most ${cap} detections per ` +
    'image; ' +
    `the difference is ${formatSpread(ap100.rare, true)} at 100 detections, ` +
    `${formatSpread(apUncapped.rare, true)} without a cap, and ` +
    `${formatSpread(apBudget.all, true)} over all classes at ${cap} (${describeSeeds(config)}).`
  );
}

function comparison(rare: Spread, baseline: string): string {
  const points = `${formatSpread({ ...rare, mean: Math.abs(rare.mean) })} points of average precision`;
  switch (verdictOf(rare)) {
    case 'gain':
      return `gains ${points} over ${baseline} on rare classes, on every seed,`;
    case 'loss':
      return `loses ${points} to ${baseline} on rare classes, on every seed,`;
    case 'one seed':
      return `is ${points} ${rare.mean < 0 ? 'below' : 'above'} ${baseline} on rare classes`;
    case 'unclear': {
      const better = rare.values.filter((value) => value > 0).length;
      return (
        `is not clearly better or worse than ${baseline} on rare classes (${formatSpread(rare, true)} ` +
        `points of average precision, better on ${better} of ${rare.values.length} seeds)`
      );
    }
  }
}

function describeSeeds({ seeds }: ExperimentConfig): string {
  if (seeds.length === 1) return `one seed, ${seeds[0]}: no spread`;
  return `mean ± standard deviation of ${seeds.length} seeds: ${enumerate(seeds)}`;
}

function rareFigures({ losses, config }: Summary): string {
  const figures = losses.map(
    ({ loss, ap }) =>
      `${LOSS_TITLES[loss]} has ${formatSpread(ap.apBudget.rare)} % of average precision on rare ` +
      `classes and ${formatSpread(ap.apBudget.all)} % on all`,
  );
  const cap = detectionCaps(config.classes).apBudget;
  return `${enumerate(figures)} with at most ${cap} detections per image`;
}

export interface GainOfCap {
  name: ApName;
  figures: Difference['ap'][ApName];
}

/** The same difference under each cap, the main one first. */
export function gainsByCap({ ap }: Difference): GainOfCap[] {
  const order: ApName[] = ['apBudget', 'ap100', 'apUncapped'];
  return order.map((name) => ({ name, figures: ap[name] }));
}
