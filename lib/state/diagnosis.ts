/** What the statistics of a criterion say about its training, and what can be done about it. */
import { plainLosses } from './plain-losses';
import type { ReadState } from './statistics';

/**
 * What a finding is of:
 *
 * - `'nothing-collected'`: no gradient has been counted yet
 * - `'not-started'`: `startAfter` still leaves the ratios alone
 * - `'asleep'`: every class seen is balanced, so the loss is the one without equalization
 * - `'no-positives'`: no class has had a positive
 * - `'all-rare'`: every class has the strongest equalization there is
 * - `'balanced'`, `'rare'`: the share of the classes at either end
 * - `'without-positives'`: classes that have had negatives only
 * - `'never-seen'`: classes without any gradient
 * - `'small-sums'`: sums so small that the 1e-10 in the ratio moves it
 * - `'non-finite'`: NaN and infinite logits
 */
export type FindingKind =
  | 'nothing-collected'
  | 'not-started'
  | 'asleep'
  | 'no-positives'
  | 'all-rare'
  | 'balanced'
  | 'rare'
  | 'without-positives'
  | 'never-seen'
  | 'small-sums'
  | 'non-finite';

/** One thing that `diagnose` has found. */
export interface Finding {
  readonly kind: FindingKind;
  /** What was found, with its numbers. Messages are for people, and may change. */
  readonly message: string;
  /** What can be done, or that nothing need be. */
  readonly advice: string;
  /** The number behind it; what it counts is in {@link EqualizedCriterion.diagnose}. */
  readonly value: number;
  /** The classes it is about, as columns, in ascending order; left out where it is about all. */
  readonly classes?: readonly number[];
}

/** How a loss uses its ratios. */
export interface Equalization {
  /** What the loss is without equalization, in words. */
  readonly plain: string;
  /** How the ratio is called: g or r. */
  readonly ratio: string;
  /** From this ratio on a class has hardly any equalization. */
  readonly balancedFrom: number;
  /** Up to this ratio it has nearly all there is. */
  readonly rareTo: number;
}

/** Where a loss is within a twentieth of either end of its equalization. */
const margin = 0.05;

/** Of a loss as files name it, `'focal, equalizedFocal'`; f(r) of v2 as its options have it. */
export function equalizationOf(loss: string, steepness = 12, midpoint = 0.8): Equalization {
  const [element = '', rule] = loss.split(', ');
  const plain = plainLosses.get(element) ?? 'the loss without equalization';
  if (rule !== 'equalizationV2') {
    return { plain, ratio: 'g', balancedFrom: 1 - margin, rareTo: margin };
  }
  // f(r) = 1 / (1 + exp(-steepness (r - midpoint))) is the margin, or 1 less it, here.
  const distance = Math.log(1 / margin - 1) / steepness;
  return {
    plain,
    ratio: 'r',
    balancedFrom: midpoint + distance,
    rareTo: Math.max(0, midpoint - distance),
  };
}

/** Everything there is to say of a state, the gravest first. */
export function findingsOf(state: ReadState, equalization: Equalization): Finding[] {
  const facts = factsOf(state, equalization);
  if (facts.seen.length === 0) return [nothingCollected(state)];
  const { steps, start_after: start = 0 } = state;
  // The ratios that are used are not those of the sums yet.
  if (start > 0 && steps <= start) {
    const noPositive = facts.withPositives.length === 0 ? [noPositives(facts)] : [];
    return [notStarted(start - steps + 1, equalization), ...noPositive, ...smallSums(state)];
  }
  return [
    ...endOf(facts, equalization, state.half_life ?? 0),
    ...smallSums(state),
    ...withoutGradients(facts),
    ...sharesOf(facts, equalization),
  ];
}

/** Of so many logits of a call. */
export function nonFiniteFinding(nonFinite: number): Finding {
  return {
    kind: 'non-finite',
    message: `${nonFinite} logits of the call are NaN or infinite.`,
    advice:
      'They stay out of the statistics, but not out of the gradient: lower the learning rate, clip ' +
      'gradients, or look for the layer that overflows (in float16 above 65504).',
    value: nonFinite,
  };
}

/** How many classes a state has, and which ones are where. */
interface Facts {
  readonly all: number;
  readonly seen: readonly number[];
  readonly unseen: readonly number[];
  readonly withPositives: readonly number[];
  readonly withoutPositives: readonly number[];
  readonly balanced: readonly number[];
  readonly rare: readonly number[];
  /** Of classes with a positive: the least and the largest ratio that they have. */
  readonly least: number;
  readonly largest: number;
  /** The median of positive / negative sums of the same classes, without any clamp. */
  readonly median: number;
}

function factsOf(
  { pos_grad: positive, neg_grad: negative, pos_neg: ratio }: ReadState,
  { balancedFrom, rareTo }: Equalization,
): Facts {
  const columns = [...ratio.keys()];
  const seen = columns.filter((j) => positive[j]! > 0 || negative[j]! > 0);
  const withPositives = seen.filter((j) => positive[j]! > 0);
  const quotients = withPositives.map((j) => positive[j]! / negative[j]!).sort((a, b) => a - b);
  const ratioOf = (from: number, best: (a: number, b: number) => number): number =>
    withPositives.reduce((found, j) => best(found, ratio[j]!), from);
  return {
    all: columns.length,
    seen,
    unseen: columns.filter((j) => positive[j] === 0 && negative[j] === 0),
    withPositives,
    withoutPositives: seen.filter((j) => positive[j] === 0),
    balanced: seen.filter((j) => ratio[j]! >= balancedFrom),
    rare: seen.filter((j) => ratio[j]! <= rareTo),
    least: ratioOf(Infinity, Math.min),
    largest: ratioOf(0, Math.max),
    median: quotients[quotients.length >> 1] ?? 0,
  };
}

function nothingCollected({ steps }: ReadState): Finding {
  return {
    kind: 'nothing-collected',
    message: `No gradient has been counted yet, in ${steps} steps.`,
    advice:
      'Statistics come from forwardBackward, not from forward, and from calls without collect: false. ' +
      "With collect: 'defer' they wait for commit(). A lossWeight, classWeight or gradOutput of 0 " +
      'leaves nothing to count, and so does a batch whose rows are all ignored or masked.',
    value: steps,
  };
}

function notStarted(calls: number, { plain, ratio }: Equalization): Finding {
  return {
    kind: 'not-started',
    message: `startAfter leaves ${ratio} as it is for ${calls} more steps: without a loaded state the loss is ${plain} till then.`,
    advice: 'Statistics are collected, and are used from then on.',
    value: calls,
  };
}

/** What is wrong where all classes are at one end. */
function endOf(facts: Facts, equalization: Equalization, halfLife: number): Finding[] {
  const { seen, withPositives, rare, least, largest } = facts;
  const { plain, ratio, balancedFrom } = equalization;
  if (withPositives.length === 0) return [noPositives(facts)];
  if (least >= balancedFrom) return [asleep(facts, equalization, halfLife)];
  if (rare.length < seen.length) return [];
  return [
    {
      kind: 'all-rare',
      message: `${ratio} is near 0 for all ${seen.length} classes seen, ${short(largest)} at most: each has nearly all the equalization there is.`,
      advice:
        `That is ${plain} with other constants, and tells no class from another. Early in training ` +
        'it passes: start the classifier from priorBias(), and look again. If it stays, there are too many ' +
        'negatives for a positive: sample fewer, or repeat images with repeatFactors.',
      value: largest,
    },
  ];
}

function noPositives({ seen }: Facts): Finding {
  return {
    kind: 'no-positives',
    message: `None of the ${seen.length} classes seen has had a positive.`,
    advice:
      "Every row has counted as background. Look at the option background ('first': label 0 is " +
      "background, class k is label k + 1; 'last' and 'none': class k is label k), at ignoreIndex, and " +
      'at whether rows are matched to classes at all.',
    value: seen.length,
  };
}

function asleep(
  { withPositives, least, median }: Facts,
  { plain, ratio }: Equalization,
  halfLife: number,
): Finding {
  const forget =
    halfLife > 0
      ? `A halfLife shorter than ${short(halfLife)} steps forgets them sooner.`
      : 'The sums never forget: give a halfLife in steps, or reset() after the first epochs.';
  return {
    kind: 'asleep',
    message:
      `${ratio} is at least ${short(least)} for all ${withPositives.length} classes with positives ` +
      `(median of positive over negative gradient: ${short(median)}): the loss is ${plain}.`,
    advice:
      'If the data are balanced, that is right. If not, positives have outweighed negatives, as ' +
      `they do where there are few negatives for a positive. ${forget} startAfter, a normalizer or a ` +
      'lossWeight change nothing: the first only waits, the others scale both sums.',
    value: least,
  };
}

/** Classes of which the ratio without the 1e-10 would be another by more than a hundredth. */
function smallSums({ pos_grad: positive, neg_grad: negative }: ReadState): Finding[] {
  const shareOf = (j: number): number => 1e-10 / (negative[j]! + 1e-10);
  const classes = [...negative.keys()].filter((j) => positive[j]! > 0 && negative[j]! > 0);
  const moved = classes.filter((j) => shareOf(j) > 0.01);
  if (moved.length === 0) return [];
  const worst = moved.reduce((most, j) => Math.max(most, shareOf(j)), 0);
  const factor = 10 ** Math.ceil(Math.log10((worst / (1 - worst)) * 100));
  return [
    {
      kind: 'small-sums',
      message: `The sums are so small that the 1e-10 in positive / (negative + 1e-10) lowers the ratio of ${moved.length} classes, by up to ${percent(worst)}.`,
      advice: `Scale all gradients up alike, in all steps: a normalizer that is ${short(factor)} times smaller, or a lossWeight that is as much larger with a learning rate that makes up for it.`,
      value: worst,
      classes: moved,
    },
  ];
}

function withoutGradients({ all, unseen, withPositives, withoutPositives }: Facts): Finding[] {
  const found: Finding[] = [];
  if (withoutPositives.length > 0 && withPositives.length > 0) {
    found.push({
      kind: 'without-positives',
      message: `${countOf(withoutPositives, all)} have had no positive so far.`,
      advice:
        'They get the strongest equalization, and learn nothing until a positive comes. Train on, ' +
        'repeat their images with repeatFactors, or check that the label map names them.',
      value: withoutPositives.length,
      classes: withoutPositives,
    });
  }
  if (unseen.length > 0) {
    found.push({
      kind: 'never-seen',
      message: `${countOf(unseen, all)} have had no gradient at all.`,
      advice:
        'Every row that counts gives a gradient to every class, so these are left out: by a mask, a weight of 0, ' +
        'or by logits so low that their gradient is 0.',
      value: unseen.length,
      classes: unseen,
    });
  }
  return found;
}

function sharesOf({ all, balanced, rare }: Facts, equalization: Equalization): Finding[] {
  const { ratio, balancedFrom, rareTo, plain } = equalization;
  const found: Finding[] = [];
  if (balanced.length > 0) {
    found.push({
      kind: 'balanced',
      message: `${countOf(balanced, all)} have a ${ratio} of ${short(balancedFrom)} or more.`,
      advice: `For them the loss is nearly ${plain}. Nothing to do.`,
      value: balanced.length / all,
      classes: balanced,
    });
  }
  if (rare.length > 0) {
    found.push({
      kind: 'rare',
      message: `${countOf(rare, all)} have a ${ratio} of ${short(rareTo)} or less.`,
      advice: 'They get nearly all the equalization there is. Nothing to do.',
      value: rare.length / all,
      classes: rare,
    });
  }
  return found;
}

function countOf(classes: readonly number[], all: number): string {
  return `${classes.length} of ${all} classes`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  return `${short(share * 100)} %`;
}
