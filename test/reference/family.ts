/** Every loss of the package beside its reference, for what holds for all of them. */

import {
  AdaptiveClassSuppressionLoss,
  AsymmetricLoss,
  EffectiveClassMarginLoss,
  EqualizationLoss,
  EqualizationLossV2,
  EqualizedFocalLoss,
  EqualizedQualityFocalLoss,
  EqualizedVarifocalLoss,
  FocalLoss,
  IouAwareBceLoss,
  MatchabilityAwareLoss,
  QualityFocalLoss,
  VarifocalLoss,
} from '../../lib';
import type { Criterion } from '../../lib';
import { expectClose, STATISTICS } from './compare';
import type { Tolerance } from './compare';
import { ReferenceCriterion } from './criterion';
import type { ReferenceCall, ReferenceOptions, ReferenceOutput } from './criterion';
import { expectOutput, makeSample } from './harness';
import type { Call, ImplementationOutput, Sample, StateDict } from './harness';
import type { LabelShares } from './inputs';
import { KINDS } from './kinds';
import type { KindOptions, LossKind } from './kinds';
import { Random } from './random';
import type { Background, Dense } from './targets';

export type StatefulCriterion =
  EqualizedFocalLoss | EqualizedQualityFocalLoss | EqualizedVarifocalLoss | EqualizationLossV2;

/** Options that every loss has. */
export interface CommonOptions {
  readonly numClasses: number;
  readonly background?: Background;
  readonly reduction?: 'sum' | 'mean' | 'none';
  readonly lossWeight?: number;
  readonly classWeight?: readonly number[];
}

type OwnOptions = KindOptions & Pick<ReferenceOptions, 'alpha'>;

export interface Member {
  readonly name: string;
  readonly kind: LossKind;
  readonly create: (options: CommonOptions) => Criterion;
  readonly reference: (options: CommonOptions) => ReferenceCriterion;
}

function member<O>(
  Loss: new (options: O) => Criterion,
  kind: LossKind,
  ownOptions: (numClasses: number) => OwnOptions & Omit<O, keyof CommonOptions> = () =>
    ({}) as OwnOptions & Omit<O, keyof CommonOptions>,
): Member {
  const complete = (options: CommonOptions) => ({ ...options, ...ownOptions(options.numClasses) });
  return {
    name: Loss.name,
    kind,
    create: (options) => new Loss(complete(options) as unknown as O),
    reference: (options) => new ReferenceCriterion(complete(options), kind),
  };
}

function byClass(numClasses: number, value: (column: number) => number): number[] {
  return Array.from({ length: numClasses }, (_, column) => value(column));
}

/** Each loss, with the options that are its own away from their defaults. */
export const FAMILY: readonly Member[] = [
  member(FocalLoss, 'focal', () => ({ gamma: 1.5, alpha: 0.4 })),
  member(EqualizedFocalLoss, 'equalizedFocal', () => ({ gamma: 2, scaleFactor: 6 })),
  member(QualityFocalLoss, 'qualityFocal', () => ({ gamma: 2.5 })),
  member(EqualizedQualityFocalLoss, 'equalizedQualityFocal', () => ({ scaleFactor: 4 })),
  member(EqualizationLossV2, 'equalizationV2', () => ({ mapSteepness: 6, positiveGain: 3 })),
  member(EqualizationLoss, 'equalization', (numClasses) => ({
    threshold: 0.02,
    classFrequencies: byClass(numClasses, (j) => 0.01 * ((j + 1) % 4)),
  })),
  member(AdaptiveClassSuppressionLoss, 'adaptiveClassSuppression', (numClasses) => ({
    scoreThreshold: 0.4,
    backgroundWeight: byClass(numClasses, (j) => 0.5 * ((j + 1) % 3)),
  })),
  member(VarifocalLoss, 'varifocal', () => ({ gamma: 1.5, alpha: 0.6 })),
  member(EqualizedVarifocalLoss, 'equalizedVarifocal', () => ({ scaleFactor: 4 })),
  member(IouAwareBceLoss, 'iouAwareBce', () => ({ gamma: 2.5, alpha: 0.4 })),
  member(MatchabilityAwareLoss, 'matchability', () => ({ gamma: 1.25, alpha: 0.8 })),
  member(AsymmetricLoss, 'asymmetric', () => ({ gammaNegative: 3, margin: 0.1 })),
  member(EffectiveClassMarginLoss, 'classMargin', (numClasses) => ({
    classCounts: byClass(numClasses, (j) => 1000 / (j + 1)),
    backgroundRatio: 3,
  })),
];

export const STATEFUL = FAMILY.filter(({ kind }) => KINDS[kind].ratio !== undefined);

/** Those whose positives have a quality, which they do not share with the others. */
export function takesQuality({ kind }: Member): boolean {
  return KINDS[kind].isOfQuality === true;
}

export function isStateful(criterion: Criterion): criterion is StatefulCriterion {
  return 'loadStateDict' in criterion;
}

/** No sums, and ratios from 0 to 1, so that no two neighbouring classes are treated alike. */
function mixedState(numClasses: number): StateDict {
  const none = new Float64Array(numClasses);
  const pos_neg = none.map((_, j) => ((3 * j + 1) % 5) / 4);
  return { pos_grad: none, neg_grad: none, pos_neg };
}

/** A new criterion; one with state has mixed ratios, and so has the reference. */
export function criterionOf(one: Member, options: CommonOptions): Criterion {
  const criterion = one.create(options);
  if (isStateful(criterion)) {
    criterion.loadStateDict(mixedState(options.numClasses));
  }
  return criterion;
}

export interface FamilySample extends Sample {
  readonly quality: Float32Array;
}

/** Logits, labels, and a quality for each row, now and then 0 or 1. */
export function familySample(
  seed: number,
  rows: number,
  numClasses: number,
  shares?: LabelShares,
): FamilySample {
  return { ...makeSample(seed, rows, numClasses, shares), quality: makeQuality(seed, rows) };
}

export function makeQuality(seed: number, rows: number): Float32Array {
  const random = new Random(seed + 1_000_000);
  return Float32Array.from({ length: rows }, () =>
    Math.min(1, Math.max(0, random.uniform(-0.2, 1.2))),
  );
}

/** The part of a call's options that only the quality losses take. */
export function qualityCall<Q>(one: Member, quality: Q): { quality?: Q } {
  return takesQuality(one) ? { quality } : {};
}

/** One call by implementation and reference, compared, with the sums it adds to the state. */
export function compareMember(
  one: Member,
  options: CommonOptions,
  { logits, labels, quality }: FamilySample,
  call: Call & ReferenceCall = {},
): { output: ImplementationOutput; expected: ReferenceOutput } {
  return compareRun(one, options, logits, labels, { ...call, ...qualityCall(one, quality) });
}

/** The same with dense targets. */
export function compareDense(
  one: Member,
  options: CommonOptions,
  logits: Float32Array,
  dense: Float32Array,
  call: Call & ReferenceCall = {},
): { output: ImplementationOutput; expected: ReferenceOutput } {
  return compareRun(one, options, logits, { dense }, call);
}

function compareRun(
  one: Member,
  options: CommonOptions,
  logits: Float32Array,
  targets: Int32Array | (Dense & { readonly dense: Float32Array }),
  call: Call & ReferenceCall,
): { output: ImplementationOutput; expected: ReferenceOutput } {
  const criterion = criterionOf(one, options);
  const reference = one.reference(options);
  if (isStateful(criterion)) {
    reference.load(criterion.stateDict());
  }
  const given = 'dense' in targets ? targets.dense : targets;
  const before = isStateful(criterion) ? criterion.statistics : undefined;
  const expected = reference.forwardBackward(logits, targets, call);
  const output = criterion.forwardBackward(logits, given, call);
  expectOutput(output, expected);
  if (isStateful(criterion) && before !== undefined) {
    expectSums(criterion, reference, expected, before.steps);
  }
  return { output, expected };
}

/** The state behind a call, with the errors that cancelling terms allow. */
function expectSums(
  criterion: StatefulCriterion,
  reference: ReferenceCriterion,
  expected: ReferenceOutput,
  stepsBefore: number,
): void {
  const { positive, negative, steps } = criterion.statistics;
  const tolerance = (scale: Float64Array): Tolerance => ({
    relative: 0,
    absolute: scale.map((size) =>
      Math.max(STATISTICS.absolute as number, STATISTICS.relative * size),
    ),
  });
  expectClose('positive sums', positive, reference.positive, tolerance(expected.positiveScale));
  expectClose('negative sums', negative, reference.negative, tolerance(expected.negativeScale));
  const resolved = (scale: number, sum: number): number => (sum > 0 ? scale / sum : 1);
  const absolute = reference.ratio.map((ratio, j) => {
    const ofPositives = resolved(expected.positiveScale[j]!, expected.positive[j]!);
    const ofNegatives = resolved(expected.negativeScale[j]!, expected.negative[j]!);
    return 2 * STATISTICS.relative * (ofPositives + ofNegatives) * ratio;
  });
  expectClose('ratios', criterion.gradientRatio, reference.ratio, { relative: 1e-5, absolute });
  expect(steps).toBe(stepsBefore + reference.steps);
}
