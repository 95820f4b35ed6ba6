import { outcomeSlots } from '../binding/addon';
import { readCheckpoint, writeCheckpoint } from '../state/checkpoint';
import {
  checkState,
  checkStatistics,
  checkSums,
  type CheckedState,
  type LoadableState,
  type StateDict,
  type Statistics,
} from '../state/statistics';
import type { Labels } from '../tensors/labels';
import type { Logits } from '../tensors/logits';
import { checkReady, ownedValues } from './async-call';
import {
  checkCollect,
  type AsyncCall,
  type CheckedCollect,
  type CollectCall,
} from './call-options';
import { Criterion } from './criterion';
import {
  resolveEqualizedOptions,
  type EqualizedFocalLossOptions,
  type ResolvedEqualizedOptions,
} from './options';
import { readCounts, type CollectOutput } from './outcome';

/**
 * Equalized Focal Loss (Li et al., CVPR 2022, section 3.2), for rows with at most one positive class:
 *
 *     L_j     = -(gamma_j / gamma_b) alpha_t (1 - p_t)^gamma_j log(p_t)
 *     gamma_j = gamma_b + s (1 - g_j)
 *     g_j     = clamp(sum of |gradient| over positives / sum over negatives, 0, 1)
 *
 * g_j says how balanced class j has been so far. Balanced classes (g = 1) get exactly Focal Loss;
 * rare ones get up to gamma_b + s of focus and (gamma_b + s) / gamma_b of weight.
 *
 * The sums are kept in float64, over all steps, and never decay. A call uses the g of the calls
 * before it and updates g after it, whole or not at all; the first call is Focal Loss, since g is 1
 * then. Gradients that count are those of the total loss by the logits: normalizer, `lossWeight`
 * and `gradOutput` are in them, `lossScale` is not. A call without a row that counts (none, or all
 * ignored) leaves the state as it is.
 *
 * Logits are float32, rows x numClasses; labels say by {@link FocalLossOptions.background} which
 * class, or none, is positive in a row.
 *
 * ```ts
 * const criterion = new EqualizedFocalLoss({ numClasses: 1203 });
 * const { loss, grad } = criterion.forwardBackward(logits, labels, { normalizer: 'positives' });
 * ```
 */
export class EqualizedFocalLoss extends Criterion<ResolvedEqualizedOptions> {
  /**
   * @throws {@link EflArgumentError} for an option out of its range or unknown.
   * @throws {@link EflBackendUnavailableError} for a `device` that cannot be used here.
   * @throws {@link EflLoadError} where the native addon cannot be loaded.
   */
  constructor(options: EqualizedFocalLossOptions) {
    const resolved = resolveEqualizedOptions(options);
    super(resolved, resolved.scaleFactor);
  }

  /** g_j of each class, in [0, 1], initially 1. A copy. */
  get gradientRatio(): Float64Array {
    return this.#read().pos_neg;
  }

  /** gamma_j = gamma_b + s (1 - g_j) of each class. A copy. */
  get focusingFactor(): Float64Array {
    return this.#readFactors().focusing;
  }

  /** gamma_j / gamma_b of each class. A copy. */
  get weightingFactor(): Float64Array {
    return this.#readFactors().weighting;
  }

  /** The sums behind g, as of the calls that have been computed. */
  get statistics(): Statistics {
    const { pos_grad: positive, neg_grad: negative, steps } = this.#read();
    return { positive, negative, steps };
  }

  /**
   * Takes the statistics from gradients that were computed elsewhere: those of the total loss by the
   * logits, rows x classes. The seed's `collect_grad`. Use either this or the statistics of
   * {@link forwardBackward} (with `collect: false`), not both. NaN and infinite values are left out.
   */
  collectGrad(grads: Logits, labels: Labels, call?: CollectCall): CollectOutput {
    const checked = this.#checkCollect(grads, labels, call, false);
    const outcome = new Float64Array(outcomeSlots);
    this.native().runCollect(checked.gradients, checked.labels, checked.scale, outcome);
    this.checkOutcome(outcome);
    return readCounts(outcome);
  }

  /** {@link collectGrad} off the event loop, on a copy of its arguments. Every error rejects. */
  async collectGradAsync(
    grads: Logits,
    labels: Labels,
    call?: CollectCall & AsyncCall,
  ): Promise<CollectOutput> {
    const checked = this.#checkCollect(grads, labels, call, true);
    checkReady(checked.signal);
    const ownedLabels = new Int32Array(checked.labels);
    const gradients = ownedValues(checked.gradients, checked.transfer);
    const native = this.native();
    const outcome = await this.finish(checked.signal, (slots, done) =>
      native.submitCollect(gradients, ownedLabels, checked.scale, slots, done),
    );
    return readCounts(outcome);
  }

  /** The state, under the names it has in PyTorch checkpoints of the official implementation. */
  stateDict(): StateDict {
    const { pos_grad, neg_grad, pos_neg } = this.#readWhole();
    return { pos_grad, neg_grad, pos_neg };
  }

  /**
   * Takes a state over, for as many classes as this criterion has: float64 or float32 arrays, or
   * arrays of numbers, finite and >= 0, `pos_neg` in [0, 1].
   *
   * @throws {@link EflArgumentError} naming the array; the state has not changed then.
   */
  loadStateDict(state: LoadableState): void {
    this.#restore(checkState(state, this.options.numClasses));
  }

  /**
   * Writes the state as a safetensors file (`pos_grad`, `neg_grad`, `pos_neg`, float64; the number of
   * steps in its metadata). The file appears whole, or is left as it was.
   *
   * @throws {@link EflArgumentError} where the path cannot be written.
   */
  saveState(path: string): void {
    writeCheckpoint(path, this.#readWhole());
  }

  /**
   * Reads a file that {@link saveState} wrote, or any safetensors file with the three tensors in
   * float64 or float32.
   *
   * @throws {@link EflArgumentError} (`argument: 'path'`) for a file that is missing, cut off,
   * foreign or of another number of classes; the state has not changed then.
   */
  loadState(path: string): void {
    this.#restore(readCheckpoint(path, this.options.numClasses));
  }

  /**
   * Adds the sums and steps of another criterion, or of its `statistics`, and updates g: what several
   * threads or processes have seen of the same classes comes together here. The other one stays as
   * it is; merging it again would count it twice.
   */
  mergeStatistics(other: EqualizedFocalLoss | Statistics): void {
    const statistics = other instanceof EqualizedFocalLoss ? other.#whole() : other;
    const { numClasses } = this.options;
    const { positive, negative, steps } = checkStatistics(statistics, numClasses);
    checkSums(this.#whole(), { positive, negative, steps });
    this.native().merge(positive, negative, steps);
  }

  /** Back to the state of a new criterion: no sums, g = 1. */
  reset(): void {
    this.native().reset();
  }

  #checkCollect(
    grads: Logits,
    labels: Labels,
    call: CollectCall | undefined,
    asynchronous: boolean,
  ): CheckedCollect {
    this.native(); // before anything else is looked at: the criterion itself must be usable
    return checkCollect(grads, labels, call, this.options.numClasses, asynchronous);
  }

  #restore({ pos_grad, neg_grad, pos_neg, steps }: CheckedState): void {
    this.native().restore(pos_grad, neg_grad, pos_neg, steps);
  }

  /** The statistics with every call made before in them. */
  #whole(): Statistics {
    this.native().waitForCalls();
    return this.statistics;
  }

  /** The state with every call made before in it. */
  #readWhole(): CheckedState {
    this.native().waitForCalls();
    return this.#read();
  }

  #read(): CheckedState {
    const { numClasses } = this.options;
    const pos_grad = new Float64Array(numClasses);
    const neg_grad = new Float64Array(numClasses);
    const pos_neg = new Float64Array(numClasses);
    const steps = this.native().readStatistics(pos_grad, neg_grad, pos_neg);
    return { pos_grad, neg_grad, pos_neg, steps };
  }

  #readFactors(): { focusing: Float64Array; weighting: Float64Array } {
    const focusing = new Float64Array(this.options.numClasses);
    const weighting = new Float64Array(this.options.numClasses);
    this.native().readFactors(focusing, weighting);
    return { focusing, weighting };
  }
}
