/** What makes each loss of the family itself, as in its paper. */

import { denseElement } from './dense';
import type { SoftElementResult, Weights } from './element';
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
  | 'adaptiveClassSuppression';

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
  readonly element: (x: number, y: number, gamma: number, weights: Weights) => SoftElementResult;
  /** The share of an element's |gradient| that counts as positive. */
  readonly positiveShare: (y: number) => number;
  /** Undefined for a loss without state. */
  readonly ratio?: RatioRule;
  readonly factors: (options: KindOptions, ratio: number) => ClassFactors;
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
  element: denseElement,
  positiveShare: (y) => y,
  factors: fixed,
};

const QUALITY: Kind = {
  alpha: -1,
  element: qualityElement,
  positiveShare: (y) => (y > 0 ? 1 : 0),
  factors: fixed,
};

const CROSS_ENTROPY: Kind = {
  ...FOCAL,
  alpha: -1,
  factors: () => ({ gamma: 0, positive: 1, negative: 1 }),
};

const RULED_BY_RATIO = { ratio: CLAMPED, factors: equalized };

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
};
