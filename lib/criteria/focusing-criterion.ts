import { EqualizedCriterion, type ResolvedStatisticsOptions } from './equalized-criterion';

/** An equalized criterion whose statistics give each class a focusing and a weighting factor. */
export abstract class FocusingCriterion<
  Options extends ResolvedStatisticsOptions,
> extends EqualizedCriterion<Options> {
  /** gamma_j = gamma_b + s (1 - g_j) of each class. A copy. */
  get focusingFactor(): Float64Array {
    return this.readFactors().first;
  }

  /** gamma_j / gamma_b of each class. A copy. */
  get weightingFactor(): Float64Array {
    return this.readFactors().second;
  }
}
