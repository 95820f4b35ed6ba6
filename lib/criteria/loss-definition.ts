import { hostArrayDevice } from '../backends';
import { lossCode, reductionCode, ruleCode, type NativeSettings } from '../binding/addon';
import type { LabelConvention } from '../tensors/labels';
import { newFloat64Array } from '../tensors/new-arrays';
import { isFiniteFloat32, reject } from '../validation';
import type { ResolvedCriterionOptions } from './options';

/** What sets a loss apart from the others. What is left out has no effect on it. */
export interface LossDefinition {
  /** What an element's loss is. */
  readonly loss: keyof typeof lossCode;
  /** How the gradient statistics change the parameters of a class; default: there are none. */
  readonly rule?: keyof typeof ruleCode;
  /** Base focusing parameter; default 0, which is cross-entropy. */
  readonly gamma?: number;
  /** Positives weigh alpha, negatives 1 - alpha; negative, which is the default: both weigh 1. */
  readonly alpha?: number | readonly number[];
  /** One more column, the last, whose positives are the background rows. */
  readonly objectness?: boolean;
  /** Of the rule `equalizedFocal`. */
  readonly scaleFactor?: number;
  /** Of the rule `equalizationV2`. */
  readonly ratioMap?: RatioMap;
  /** Factor on the weight of each class's negatives in rows without a class. */
  readonly backgroundFactor?: readonly number[] | undefined;
  /** The same in rows with a class. */
  readonly foregroundFactor?: readonly number[];
  /** In rows with a class, negatives with a lower logit weigh nothing. */
  readonly foregroundThreshold?: number;
}

/** Negatives weigh f(r) = 1 / (1 + exp(-steepness (r - midpoint))), positives 1 + gain (1 - f(r)). */
export interface RatioMap {
  readonly steepness: number;
  readonly midpoint: number;
  readonly positiveGain: number;
}

const noMap: RatioMap = { steepness: 0, midpoint: 0, positiveGain: 0 };

/** What an error says could not be allocated. */
export function nameOfState({ numClasses }: ResolvedCriterionOptions): string {
  return `The state of ${numClasses} classes`;
}

/** A loss with these options, in the addon's terms. */
export function nativeSettings(
  options: ResolvedCriterionOptions,
  definition: LossDefinition,
  convention: LabelConvention,
): NativeSettings {
  const { steepness, midpoint, positiveGain } = definition.ratioMap ?? noMap;
  return {
    numClasses: options.numClasses,
    objectness: definition.objectness ?? false,
    loss: lossCode[definition.loss],
    rule: ruleCode[definition.rule ?? 'fixed'],
    gamma: definition.gamma ?? 0,
    scaleFactor: definition.scaleFactor ?? 0,
    mapSteepness: steepness,
    mapMidpoint: midpoint,
    positiveGain,
    ...weightsOf(options, definition),
    foregroundThreshold: definition.foregroundThreshold ?? -Infinity,
    firstClass: convention.firstClass,
    background: convention.background,
    ignored: Int32Array.from(convention.ignored),
    reduction: reductionCode[options.reduction],
    lossWeight: options.lossWeight,
    device: hostArrayDevice(options.device),
  };
}

/** Weights of an element, one for each class, before what the statistics make of them. */
export type Weights = Pick<
  NativeSettings,
  'positiveWeight' | 'negativeWeight' | 'foregroundWeight'
>;

export function weightsOf(options: ResolvedCriterionOptions, definition: LossDefinition): Weights {
  const { numClasses, classWeight } = options;
  const { alpha = -1, backgroundFactor, foregroundFactor, foregroundThreshold } = definition;
  const alphaOf = typeof alpha === 'number' ? () => alpha : (column: number) => alpha[column]!;
  const perClass = (weigh: (alpha: number, column: number) => number): Float64Array => {
    const weights = newFloat64Array(numClasses, nameOfState(options));
    for (let column = 0; column < numClasses; column++) {
      weights[column] = weigh(alphaOf(column), column) * (classWeight?.[column] ?? 1);
    }
    return weights;
  };
  const negative = (alpha: number): number => (alpha < 0 ? 1 : 1 - alpha);
  const weights = {
    positiveWeight: perClass((alpha) => (alpha < 0 ? 1 : alpha)),
    negativeWeight: perClass(
      (alpha, column) => negative(alpha) * (backgroundFactor?.[column] ?? 1),
    ),
    foregroundWeight:
      foregroundFactor || foregroundThreshold !== undefined
        ? perClass((alpha, column) => negative(alpha) * (foregroundFactor?.[column] ?? 1))
        : undefined,
  };
  checkWeights(weights, options, definition);
  return weights;
}

/** An infinite weight would turn a modulator of 0 into NaN. */
function checkWeights(
  { positiveWeight, negativeWeight }: Weights,
  { classWeight, lossWeight }: ResolvedCriterionOptions,
  { gamma = 0, scaleFactor = 0, ratioMap = noMap }: LossDefinition,
): void {
  const focus = scaleFactor > 0 ? (gamma + scaleFactor) / gamma : 1;
  const most = focus * (1 + ratioMap.positiveGain) * Math.max(1, Math.abs(lossWeight));
  const isTooLarge = (weight: number): boolean => !isFiniteFloat32(weight * most);
  for (const weights of [positiveWeight, negativeWeight]) {
    const column = weights.findIndex(isTooLarge);
    if (column < 0) continue;
    const expected = 'a number that keeps the largest weight of an element finite in float32';
    reject(`classWeight[${column}]`, expected, classWeight?.[column] ?? weights[column]);
  }
}
