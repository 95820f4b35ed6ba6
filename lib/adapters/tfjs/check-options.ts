import { collectOf } from '../../calls/call-numbers';
import { Criterion } from '../../criteria/criterion';
import { knownOptions, reject } from '../../validation';

/** Options of `tfLoss`. */
export interface TfLossOptions {
  /**
   * What the sum of the elements is divided by: a number > 0, or `'positives'` for max(1, rows with a
   * class in this batch). Only with reduction `'sum'`. Default 1.
   */
  readonly normalizer?: number | 'positives' | undefined;
  /**
   * Whether the statistics of gradients enter the state of an equalized criterion; `'defer'`: not
   * before `criterion.commit()`, which folds in those of all losses since the last one as one step.
   * Default true.
   */
  readonly collect?: boolean | 'defer' | undefined;
}

export function checkOptions(
  criterion: Criterion,
  options: TfLossOptions | undefined,
): TfLossOptions {
  if (!(criterion instanceof Criterion)) {
    reject('criterion', 'a criterion of equalized-focal-loss', criterion);
  }
  const { reduction } = criterion.options;
  if (reduction === 'none') reject('criterion', "reduction 'sum' or 'mean'", reduction);
  const given = knownOptions('options', options, ['normalizer', 'collect']);
  criterion.checkNumbers(given);
  collectOf(given.collect, false);
  return given;
}
