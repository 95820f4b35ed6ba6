import { collectOf } from '../../calls/call-numbers';
import { Criterion } from '../../criteria/criterion';
import { booleanOption, knownOptions, reject } from '../../validation';

/** Options of `tfLoss`. */
export interface TfLossOptions {
  /**
   * What the sum of the elements is divided by: a number > 0, or `'positives'` for max(1, rows with a
   * class in this batch). Only with reduction `'sum'`, or with `perSample`, where `'positives'` makes
   * the mean of the losses what their sum over the positives would be. Default 1.
   */
  readonly normalizer?: number | 'positives' | undefined;
  /**
   * Whether the statistics of gradients enter the state of an equalized criterion; `'defer'`: not
   * before `criterion.commit()`, which folds in those of all losses since the last one as one step.
   * Default true.
   */
  readonly collect?: boolean | 'defer' | undefined;
  /**
   * Whether there is one loss for each row, which is what `classWeight` of `fit()` weighs; `fit()` then
   * takes their mean. Needs reduction `'none'`. Default false.
   */
  readonly perSample?: boolean | undefined;
  /**
   * Whether a process warning, `EFL_TFJS_SCALED`, says once that a factor on this loss, a scalar, is in
   * its gradient: `classWeight` of `fit()` puts the mean weight of the batch there. Turn it off if the
   * factor is your own. Default true.
   */
  readonly warnOfFactor?: boolean | undefined;
}

/** The options that are left to be looked at, checked. */
export interface CheckedOptions extends TfLossOptions {
  readonly collect: boolean | 'defer';
  readonly perSample: boolean;
  readonly warnOfFactor: boolean;
}

const names = ['normalizer', 'collect', 'perSample', 'warnOfFactor'];

export function checkOptions(
  criterion: Criterion,
  options: TfLossOptions | undefined,
): CheckedOptions {
  if (!(criterion instanceof Criterion)) {
    reject('criterion', 'a criterion of equalized-focal-loss', criterion);
  }
  const given = knownOptions('options', options, names);
  const perSample = booleanOption('perSample', given.perSample, false);
  const { reduction } = criterion.options;
  if (perSample && reduction !== 'none') {
    reject('criterion', "reduction 'none', whose elements perSample adds up row by row", reduction);
  }
  if (!perSample && reduction === 'none') {
    reject('criterion', "reduction 'sum' or 'mean', or the option perSample", reduction);
  }
  checkDivisor(given.normalizer);
  if (!perSample) criterion.checkNumbers(given);
  collectOf(given.collect, false);
  return {
    normalizer: given.normalizer,
    collect: given.collect ?? true,
    perSample,
    warnOfFactor: booleanOption('warnOfFactor', given.warnOfFactor, true),
  };
}

/** A call also takes `'weights'` and a tensor on a device, which have no meaning here. */
function checkDivisor(normalizer: unknown): void {
  if (normalizer === undefined || normalizer === 'positives') return;
  const isDivisor = typeof normalizer === 'number' && normalizer > 0 && normalizer < Infinity;
  if (!isDivisor) reject('normalizer', "a finite number > 0 or 'positives'", normalizer);
}
