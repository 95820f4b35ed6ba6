/** What makes each loss of the family itself, as in its paper. */

import { denseElement } from './dense';
import { alphaWeights } from './element';
import type { SoftElementResult, Weights } from './element';
import {
  asymmetricElement,
  classMargin,
  classMarginElement,
  iouAwareElement,
  matchabilityElement,
  varifocalElement,
} from './positives';
import type { Given } from './positives';
import { qualityElement } from './quality';

// As constants: a look at a global is slow in the sandbox of the test runner.
const { exp, log, min } = Math;

export type LossKind =
  | 'focal'
  | 'equalizedFocal'
  | 'qualityFocal'
  | 'equalizedQualityFocal'
  | 'equalizationV2'
  | 'equalization'
  | 'adaptiveClassSuppression'
  | 'varifocal'
  | 'equalizedVarifocal'
  | 'iouAwareBce'
  | 'matchability'
  | 'asymmetric'
  | 'classMargin';

/** The options that only some losses have. */
export interface KindOptions {
  readonly gamma?: number | undefined;
  readonly scaleFactor?: number | undefined;
  readonly mapSteepness?: number | undefined;
  readonly mapMidpoint?: number | undefined;
  readonly positiveGain?: number | undefined;
  readonly classFrequencies?: ArrayLike<number> | undefined;
  readonly threshold?: number | undefined;
  readonly scoreThreshold?: number | undefined;
  readonly backgroundWeight?: ArrayLike<number> | undefined;
  readonly halfLife?: number | undefined;
  readonly startAfter?: number | undefined;
  readonly iouWeighted?: boolean | undefined;
  readonly detachWeight?: boolean | undefined;
  readonly ignoreZeroQuality?: boolean | undefined;
  readonly gammaPositive?: number | undefined;
  readonly gammaNegative?: number | undefined;
  readonly margin?: number | undefined;
  readonly classCounts?: ArrayLike<number> | undefined;
  readonly backgroundRatio?: number | undefined;
}

/** The parameters of a class at a gradient ratio: its gamma, and factors on its weights. */
export interface ClassFactors extends Weights {
  readonly gamma: number;
}

/** How the gradient ratio of a class comes about. */
export interface RatioRule {
  readonly initial: number;
  readonly of: (positive: number, negative: number) => number;
}

export interface Kind {
  readonly alpha: number;
  /** What alpha is to the weights of a class. */
  readonly alphaWeights: (alpha: number) => Weights;
  readonly element: (x: number, given: Given) => SoftElementResult;
  /** Whether the positive of a row with labels has a quality. */
  readonly isOfQuality?: boolean;
  /** Whether one of quality 0 counts as a negative. */
  readonly zeroIsNegative?: boolean;
  /** Whether the gradient takes something for a constant that follows from the logit. */
  readonly isDetached?: boolean;
  /** The share of an element's |gradient| that counts as positive. */
  readonly positiveShare: (y: number) => number;
  /** Undefined for a loss without state. */
  readonly ratio?: RatioRule;
  readonly factors: (options: KindOptions, ratio: number, column: number) => ClassFactors;
  /** The same of the column beyond the classes, if it is not plain cross-entropy. */
  readonly objectness?: (options: KindOptions) => ClassFactors;
  /** A factor on the negative side in rows with a class. */
  readonly onForeground?: (options: KindOptions, column: number, x: number) => number;
  /** And in rows without one. */
  readonly onBackground?: (options: KindOptions, column: number) => number;
}

function unboundedRatio(positive: number, negative: number): number {
  return positive / (negative + 1e-10);
}

const CLAMPED: RatioRule = { initial: 1, of: (p, n) => min(1, unboundedRatio(p, n)) };

function fixed({ gamma = 2 }: KindOptions): ClassFactors {
  return { gamma, positive: 1, negative: 1 };
}

function equalized({ gamma = 2, scaleFactor = 8 }: KindOptions, ratio: number): ClassFactors {
  const focusing = gamma + scaleFactor * (1 - ratio);
  return { gamma: focusing, positive: focusing / gamma, negative: focusing / gamma };
}

const FOCAL: Kind = {
  alpha: 0.25,
  alphaWeights,
  element: (x, { y, gamma, weights }) => denseElement(x, y, gamma, weights),
  positiveShare: (y) => y,
  factors: fixed,
};

const QUALITY: Kind = {
  alpha: -1,
  alphaWeights,
  element: (x, { y, gamma, weights }) => qualityElement(x, y, gamma, weights),
  isOfQuality: true,
  positiveShare: (y) => (y > 0 ? 1 : 0),
  factors: fixed,
};

const CROSS_ENTROPY: Kind = {
  ...FOCAL,
  alpha: -1,
  factors: () => ({ gamma: 0, positive: 1, negative: 1 }),
};

const RULED_BY_RATIO = { ratio: CLAMPED, factors: equalized };

const VARIFOCAL: Kind = {
  ...QUALITY,
  alpha: 0.75,
  alphaWeights: (alpha) => ({ positive: 1, negative: alpha }),
  element: varifocalElement,
  zeroIsNegative: true,
};

function marginFactors({ classCounts, backgroundRatio = 6.3313 }: KindOptions, column?: number) {
  const counts = Array.from(classCounts!);
  const ofClasses = counts.reduce((sum, count) => sum + count, 0);
  const background = backgroundRatio * ofClasses;
  const count = column === undefined ? background : counts[column]!;
  const { gamma, weight } = classMargin(count, ofClasses + background - count);
  return { gamma, positive: weight, negative: weight };
}

export const KINDS: Readonly<Record<LossKind, Kind>> = {
  focal: FOCAL,
  equalizedFocal: { ...FOCAL, ...RULED_BY_RATIO },
  qualityFocal: QUALITY,
  equalizedQualityFocal: { ...QUALITY, ...RULED_BY_RATIO },
  equalizationV2: {
    ...CROSS_ENTROPY,
    ratio: { initial: 100, of: unboundedRatio },
    factors: ({ mapSteepness = 12, mapMidpoint = 0.8, positiveGain = 4 }, ratio) => {
      const share = 1 / (1 + exp(-mapSteepness * (ratio - mapMidpoint)));
      return { gamma: 0, positive: 1 + positiveGain * (1 - share), negative: share };
    },
  },
  equalization: {
    ...CROSS_ENTROPY,
    onForeground: ({ classFrequencies, threshold = 0.00177 }, column) =>
      classFrequencies![column]! < threshold ? 0 : 1,
  },
  adaptiveClassSuppression: {
    ...CROSS_ENTROPY,
    // The score is a matter of the logit, which float64 resolves where it does not the score.
    onForeground: ({ scoreThreshold = 0.7 }, _, x) =>
      x < log(scoreThreshold / (1 - scoreThreshold)) ? 0 : 1,
    onBackground: ({ backgroundWeight }, column) => backgroundWeight?.[column] ?? 1,
  },
  varifocal: VARIFOCAL,
  equalizedVarifocal: { ...VARIFOCAL, ...RULED_BY_RATIO },
  iouAwareBce: {
    ...QUALITY,
    // Its alpha is no weight.
    alphaWeights: () => alphaWeights(-1),
    element: iouAwareElement,
    isDetached: true,
  },
  matchability: {
    ...VARIFOCAL,
    alpha: 1,
    element: matchabilityElement,
    zeroIsNegative: false,
    isDetached: true,
    factors: ({ gamma = 1.5 }) => ({ gamma, positive: 1, negative: 1 }),
  },
  asymmetric: {
    ...FOCAL,
    alpha: -1,
    element: asymmetricElement,
    factors: ({ gammaNegative = 4 }) => ({ gamma: gammaNegative, positive: 1, negative: 1 }),
  },
  classMargin: {
    ...FOCAL,
    alpha: -1,
    element: classMarginElement,
    factors: (options, _, column) => marginFactors(options, column),
    objectness: (options) => marginFactors(options),
  },
};
