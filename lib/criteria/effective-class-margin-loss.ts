import type { ClassValues } from '../tensors/class-values';
import { newFloat32Array } from '../tensors/new-arrays';
import { reject } from '../validation';
import { Criterion } from './criterion';
import type { CriterionOptions, ResolvedCriterionOptions } from './options';

/** Options of {@link EffectiveClassMarginLoss}. */
export interface EffectiveClassMarginLossOptions extends CriterionOptions {
  /** How many training images contain each class: C finite numbers > 0. Required. */
  readonly classCounts: ClassValues;
  /**
   * The count of background as a multiple of the sum of `classCounts`. Finite, > 0. Default 6.3313,
   * which the authors measured with Mask R-CNN on LVIS.
   */
  readonly backgroundRatio?: number | undefined;
  /**
   * Whether rows have one more logit, the last, that of background: positive in background rows and
   * negative in rows with a class. The authors' code always has it. Default false.
   */
  readonly objectness?: boolean | undefined;
}

/** All options of an `EffectiveClassMarginLoss`, defaults filled in. */
export interface ResolvedClassMarginOptions extends ResolvedCriterionOptions {
  readonly classCounts: readonly number[];
  readonly backgroundRatio: number;
  readonly objectness: boolean;
}

/**
 * Effective Class Margins, ECM (Cho and Kraehenbuehl, ECCV 2022): binary cross-entropy with a margin and
 * a weight for each class that follow from how many images contain it.
 *
 *     L_j     = w_j BCE(2 x + delta_j, y)
 *     delta_j = log(n_j / m_j) / 4
 *     w_j     = r log(1 + 1 / r), r = m_j / n_j
 *
 * n_j is the count of class j and m_j that of all others, background included. The authors' loss
 * divides the sum by the number of rows: `normalizer: rows`. {@link scores} are those of inference,
 * without the 2 and without the margin.
 *
 * ```ts
 * const criterion = new EffectiveClassMarginLoss({ numClasses: 1203, classCounts: imageCounts });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { normalizer: labels.length });
 * ```
 */
export class EffectiveClassMarginLoss extends Criterion<ResolvedClassMarginOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: EffectiveClassMarginLossOptions) {
    super('EffectiveClassMarginLoss', options);
  }

  /**
   * The score of each class at inference, rows x numClasses: sigmoid(x), and with `objectness` times
   * 1 - sigmoid of the background's logit.
   *
   * @param logits - Rows, row after row, as the loss takes them.
   * @throws {@link EflArgumentError} where these are no whole rows.
   */
  scores(logits: Float32Array): Float32Array {
    const { numClasses, objectness } = this.options;
    const { columns } = this.definition;
    if (!(logits instanceof Float32Array) || logits.length % columns !== 0) {
      reject('logits', `a Float32Array of rows of ${columns}`, logits);
    }
    const rows = logits.length / columns;
    const scores = newFloat32Array(rows * numClasses);
    for (let row = 0; row < rows; row += 1) {
      const first = row * columns;
      const foreground = objectness ? sigmoid(-logits[first + numClasses]!) : 1;
      for (let j = 0; j < numClasses; j += 1) {
        scores[row * numClasses + j] = sigmoid(logits[first + j]!) * foreground;
      }
    }
    return scores;
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
