import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { callFailure, isPerElement, numberOf } from '../calls/call-numbers';
import type { GivenCall } from '../calls/call-options';
import { checkOutcome } from '../calls/outcome';
import { numberOption, reductions, type Reduction } from '../criteria/options';
import type { ElementsOf, FormOf } from '../calls/results';
import { inFormOf } from '../tensors/form';
import { rejectOverlap, rejectPartialOverlap, rejectVanished } from '../tensors/memory';
import { newFloat32Array } from '../tensors/new-arrays';
import {
  checkFloat32Tensor,
  tensorAsLong,
  valuesOfSameShape,
  type CheckedTensor,
  type TensorLike,
} from '../tensors/tensor';
import { choiceOption, knownOptions } from '../validation';

/** Options of {@link sigmoidFocalLoss}. */
export interface SigmoidFocalLossOptions {
  /** Weight of targets 1; targets 0 weigh 1 - alpha. In [0, 1], or negative to leave it out. Default 0.25. */
  readonly alpha?: number | undefined;
  /** Focusing parameter, finite, >= 0. Default 2. */
  readonly gamma?: number | undefined;
  /** `'mean'` divides by the number of elements. Default `'none'`. */
  readonly reduction?: Reduction | undefined;
}

/** Options of {@link sigmoidFocalLossWithGrad}. */
export interface SigmoidFocalLossGradOptions<
  G extends TensorLike = TensorLike,
> extends SigmoidFocalLossOptions {
  /** Where the gradient goes; may be the logits. Default: new memory. */
  readonly grad?: G | undefined;
  /** d(total)/d(loss); with reduction `'none'` also one value for each element. Default 1. */
  readonly gradOutput?: number | TensorLike | undefined;
}

/** What {@link sigmoidFocalLoss} returns for logits of type `L`. */
export interface SigmoidFocalLossOutput<L extends TensorLike = TensorLike> {
  /** The reduced loss; with `'none'` the plain sum of the elements. */
  readonly loss: number;
  /** NaN and infinite logits. */
  readonly nonFinite: number;
  /** Only with reduction `'none'`. */
  readonly elements?: ElementsOf<L>;
}

const optionNames = ['alpha', 'gamma', 'reduction'];

/**
 * Sigmoid Focal Loss for dense targets, as in torchvision: each element of `logits` has a target in
 * [0, 1] of its own, so rows may have several positives, or soft ones.
 *
 *     p_t = p y + (1 - p)(1 - y),  alpha_t = alpha y + (1 - alpha)(1 - y)
 *     L   = alpha_t (1 - p_t)^gamma BCEWithLogits(x, y)
 *
 * Stateless. Computed in float64, returned in float32. `targets` has the shape of the logits.
 *
 * @throws {@link EflArgumentError} naming the argument; for a bad target its place, as `targets[i]`.
 */
export function sigmoidFocalLoss<L extends TensorLike>(
  logits: L,
  targets: TensorLike,
  options?: SigmoidFocalLossOptions,
): SigmoidFocalLossOutput<L> {
  const given = knownOptions('options', options, optionNames);
  const checked = checkInputs(logits, targets, given);
  return compute(checked, { gradient: undefined, perElement: undefined, upstream: 1 });
}

/**
 * {@link sigmoidFocalLoss} and its exact gradient by the logits, times `gradOutput`.
 */
export function sigmoidFocalLossWithGrad<L extends TensorLike, G extends TensorLike = FormOf<L>>(
  logits: L,
  targets: TensorLike,
  options?: SigmoidFocalLossGradOptions<G>,
): SigmoidFocalLossOutput<L> & { readonly grad: G } {
  const given = knownOptions('options', options, [...optionNames, 'grad', 'gradOutput']);
  const checked = checkInputs(logits, targets, given);
  const { gradOutput } = given;
  const perElementGiven = isPerElement(gradOutput, checked.reduction);
  const upstream = perElementGiven ? 1 : upstreamOf(gradOutput, checked.reduction);
  const perElement = perElementGiven ? asLong('gradOutput', gradOutput, checked) : undefined;
  const grad = given.grad === undefined ? undefined : asLong('grad', given.grad, checked);
  const gradient = gradientArray(grad, checked, perElement);
  const output = compute<L>(checked, { gradient, perElement, upstream });
  return { ...output, grad: (given.grad ?? inFormOf(checked.given, gradient)) as G };
}

interface CheckedInputs {
  readonly given: CheckedTensor<Float32Array>;
  readonly logits: Float32Array;
  readonly targets: Float32Array;
  readonly alpha: number;
  readonly gamma: number;
  readonly reduction: Reduction;
}

interface Backward {
  readonly gradient: Float32Array | undefined;
  readonly perElement: Float32Array | undefined;
  readonly upstream: number;
}

function checkInputs(
  logits: TensorLike,
  targets: TensorLike,
  options: SigmoidFocalLossOptions,
): CheckedInputs {
  const given = checkFloat32Tensor('logits', logits);
  return {
    given,
    logits: given.data,
    targets: valuesOfSameShape('targets', targets, given),
    alpha: numberOption('FocalLoss', 'alpha', options.alpha),
    gamma: numberOption('FocalLoss', 'gamma', options.gamma),
    reduction: choiceOption('reduction', options.reduction, 'none', reductions),
  };
}

function gradientArray(
  grad: Float32Array | undefined,
  inputs: CheckedInputs,
  perElement: Float32Array | undefined,
): Float32Array {
  const { given, logits, targets } = inputs;
  const { length } = given;
  if (grad === undefined) return newFloat32Array(length);
  rejectPartialOverlap('grad', grad, 'logits', logits);
  rejectOverlap('grad', grad, 'targets', targets);
  if (perElement) rejectPartialOverlap('grad', grad, 'gradOutput', perElement);
  return grad;
}

function compute<L extends TensorLike>(
  { given, logits, targets, gamma, alpha, reduction }: CheckedInputs,
  { gradient, perElement, upstream }: Backward,
): SigmoidFocalLossOutput<L> {
  rejectVanished('logits', logits, given);
  rejectVanished('targets', targets, given);
  rejectVanished('grad', gradient, given);
  rejectVanished('gradOutput', perElement, given);
  const native = addon();
  const { block, codes } = native;
  const { slot } = codes;
  const elements = reduction === 'none' ? newFloat32Array(given.length) : undefined;
  block[slot.gamma] = gamma;
  block[slot.alpha] = alpha;
  block[slot.reduction] = codes.reduction[reduction];
  block[slot.gradOutput] = upstream;
  fromNative(() => {
    native.dense(logits, targets, gradient, elements, perElement);
  });
  checkOutcome(block, false, () => '');
  const output = { loss: block[slot.loss]!, nonFinite: block[slot.nonFinite]! };
  if (!elements) return output;
  return { ...output, elements: inFormOf(given, elements, 'float32') as ElementsOf<L> };
}

/** One number for all elements. */
function upstreamOf(gradOutput: unknown, reduction: Reduction): number {
  const native = addon();
  const { block, codes } = native;
  const upstream = numberOf(gradOutput, 1);
  block[codes.slot.gradOutput] = upstream;
  block[codes.slot.reduction] = codes.reduction[reduction];
  try {
    native.checkUpstream();
  } catch (error) {
    throw callFailure(error, { gradOutput } as GivenCall);
  }
  return upstream;
}

/** The values of a tensor that has to be as long as the logits. */
function asLong(argument: string, value: unknown, { given }: CheckedInputs): Float32Array {
  return tensorAsLong(argument, value, given).data;
}
