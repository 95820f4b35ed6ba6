import { types } from 'node:util';
import { normalizerPositives } from '../binding/addon';
import { labelData, type Labels } from '../tensors/labels';
import { checkLogits, type Logits } from '../tensors/logits';
import {
  rejectOverlap,
  rejectPartialOverlap,
  tensorOfLength,
  type TensorLike,
  type CheckedTensor,
} from '../tensors/tensor';
import {
  booleanOption,
  choiceOption,
  isFiniteFloat32,
  knownOptions,
  numberOption,
  reject,
} from '../validation';
import type { Reduction, ResolvedOptions } from './options';

/** How the logits lie in memory: `'rows'` is rows x classes, class last. */
export type Layout = 'rows';

/** Options of one forward call. */
export interface ForwardCall {
  /**
   * What the sum of the elements is divided by: a number > 0, or `'positives'` for
   * max(1, rows with a class in this call). Only with reduction `'sum'`. Default 1.
   */
  readonly normalizer?: number | 'positives' | undefined;
  readonly layout?: Layout | undefined;
}

/** Options of one forward and backward call. */
export interface BackwardCall extends ForwardCall {
  /**
   * d(total)/d(loss), a finite number; with reduction `'none'` also one value for each element.
   * Factor on gradient and statistics. Default 1.
   */
  readonly gradOutput?: number | TensorLike | undefined;
  /**
   * Loss scale of mixed-precision training, finite and not 0: multiplied into the gradient, and not
   * into the statistics. Default 1.
   */
  readonly lossScale?: number | undefined;
  /** Whether this call's gradient statistics enter the state of an equalized criterion. Default true. */
  readonly collect?: boolean | undefined;
}

/** Where the gradient goes. */
export interface GradientCall<G extends TensorLike> {
  /**
   * Array or tensor to write the gradient into and to return; may be the logits themselves. A new
   * one by default: reusing one saves the system's work of handing out fresh memory.
   */
  readonly grad?: G | undefined;
}

/** Options of an asynchronous call. */
export interface AsyncCall {
  /** Cancels the call while it waits for its turn; it then rejects with an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Takes the buffer of the logits over instead of copying it; the caller's array is empty
   * afterwards, also where the call fails later on (a bad label, `signal`, `dispose`). Memory that
   * cannot change hands is copied or refused, as the runtime has it. Default false.
   */
  readonly transfer?: boolean | undefined;
}

/** Options of {@link EqualizedFocalLoss.collectGrad}. */
export interface CollectCall {
  /** The loss scale that is in these gradients: divided out of the statistics. Default 1. */
  readonly lossScale?: number | undefined;
  readonly layout?: Layout | undefined;
}

/** A call, checked and in the addon's terms. Its arrays are still the caller's. */
export interface CheckedCall {
  /** The logits as they were given, for the form of the results. */
  readonly given: CheckedTensor;
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  /** The object the caller gave for the gradient, and its values. */
  readonly gradGiven: TensorLike | undefined;
  readonly grad: Float32Array | undefined;
  readonly gradOutput: Float32Array | undefined;
  readonly normalizer: number;
  readonly upstream: number;
  readonly lossScale: number;
  readonly collect: boolean;
  readonly signal: AbortSignal | undefined;
  readonly transfer: boolean;
}

export interface CheckedCollect {
  readonly gradients: Float32Array;
  readonly labels: Int32Array;
  readonly scale: number;
  readonly signal: AbortSignal | undefined;
  readonly transfer: boolean;
}

type AnyCall = BackwardCall & GradientCall<TensorLike> & AsyncCall;

const forwardNames = ['normalizer', 'layout'];
const backwardNames = [...forwardNames, 'gradOutput', 'lossScale', 'collect', 'grad'];
const collectNames = ['lossScale', 'layout'];
const asyncNames = ['signal', 'transfer'];

/** Which of the four kinds of call is being made. */
export interface CallKind {
  readonly backward: boolean;
  readonly asynchronous: boolean;
}

export function checkCall(
  logits: Logits,
  labels: Labels,
  call: object | undefined,
  options: ResolvedOptions,
  kind: CallKind,
): CheckedCall {
  const allowed = namesOf(kind.backward ? backwardNames : forwardNames, kind.asynchronous);
  const given = knownOptions<AnyCall>('call', call, allowed);
  const tensor = checkLogits('logits', logits, options.numClasses);
  const { data } = tensor;
  checkLayout(given.layout);
  const { upstream, perElement } = checkGradOutput(
    given.gradOutput,
    options.reduction,
    data.length,
  );
  const checked: CheckedCall = {
    given: tensor,
    logits: data,
    labels: labelData(labels, data.length / options.numClasses),
    gradGiven: given.grad,
    grad: given.grad === undefined ? undefined : tensorOfLength('grad', given.grad, data.length),
    upstream,
    gradOutput: perElement,
    normalizer: checkNormalizer(given.normalizer, options.reduction),
    lossScale: checkLossScale(given.lossScale),
    collect: booleanOption('collect', given.collect, true),
    signal: checkSignal(given.signal),
    transfer: booleanOption('transfer', given.transfer, false),
  };
  checkScale(checked, options.lossWeight);
  checkOverlaps(checked);
  checkTransfer(checked);
  return checked;
}

/** Each factor of the gradient is finite; their product has to be, too. */
function checkScale({ upstream, lossScale, normalizer }: CheckedCall, lossWeight: number): void {
  const divisor = normalizer === normalizerPositives ? 1 : normalizer;
  const scale = (lossWeight * upstream * lossScale) / divisor;
  if (!isFiniteFloat32(scale)) {
    const product = 'lossWeight x gradOutput x lossScale / normalizer';
    reject('gradOutput', `a factor that leaves ${product} finite in float32`, upstream);
  }
}

export function checkCollect(
  gradients: Logits,
  labels: Labels,
  call: object | undefined,
  numClasses: number,
  asynchronous: boolean,
): CheckedCollect {
  const given = knownOptions<CollectCall & AsyncCall>(
    'call',
    call,
    namesOf(collectNames, asynchronous),
  );
  const { data } = checkLogits('grads', gradients, numClasses);
  checkLayout(given.layout);
  const checked: CheckedCollect = {
    gradients: data,
    labels: labelData(labels, data.length / numClasses),
    scale: 1 / Math.abs(checkLossScale(given.lossScale)),
    signal: checkSignal(given.signal),
    transfer: booleanOption('transfer', given.transfer, false),
  };
  checkTransfer({ logits: checked.gradients, transfer: checked.transfer, grad: undefined });
  return checked;
}

/** A buffer that others share, or that the result goes into, cannot be taken over. */
function checkTransfer({
  logits,
  grad,
  transfer,
}: Pick<CheckedCall, 'logits' | 'grad' | 'transfer'>): void {
  if (!transfer) return;
  if (types.isSharedArrayBuffer(logits.buffer)) {
    reject('transfer', 'false for values in a SharedArrayBuffer', true);
  }
  if (grad && grad.buffer === logits.buffer) {
    reject('transfer', 'false where grad is in the buffer of the logits', true);
  }
}

function namesOf(names: readonly string[], asynchronous: boolean): readonly string[] {
  return asynchronous ? [...names, ...asyncNames] : names;
}

function checkLayout(layout: unknown): void {
  choiceOption('layout', layout, 'rows', ['rows']);
}

function checkNormalizer(value: unknown, reduction: Reduction): number {
  if (value === undefined) return 1;
  if (reduction !== 'sum') reject('normalizer', `none with reduction '${reduction}'`, value);
  if (value === 'positives') return normalizerPositives;
  // 1 / value is the factor the kernels use.
  if (
    typeof value !== 'number' ||
    !(value > 0) ||
    !isFiniteFloat32(value) ||
    !isFiniteFloat32(1 / value)
  ) {
    reject('normalizer', "a finite number > 0 or 'positives'", value);
  }
  return value;
}

/** An upstream gradient: one number for all elements, or with 'none' one for each. */
export function checkGradOutput(
  value: unknown,
  reduction: Reduction,
  length: number,
): { upstream: number; perElement: Float32Array | undefined } {
  if (typeof value === 'object' && value !== null && reduction === 'none') {
    return { upstream: 1, perElement: tensorOfLength('gradOutput', value, length) };
  }
  const expected =
    reduction === 'none' ? 'a finite number, or one for each element' : 'a finite number';
  return {
    upstream: numberOption('gradOutput', value, 1, expected, isFiniteFloat32),
    perElement: undefined,
  };
}

function checkLossScale(value: unknown): number {
  return numberOption(
    'lossScale',
    value,
    1,
    'a finite number other than 0',
    (scale) => isFiniteFloat32(scale) && Math.fround(scale) !== 0,
  );
}

function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal !== undefined && !isAbortSignal(signal)) reject('signal', 'an AbortSignal', signal);
  return signal;
}

function isAbortSignal(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    typeof (value as AbortSignal).addEventListener === 'function'
  );
}

function checkOverlaps({ logits, labels, grad, gradOutput }: CheckedCall): void {
  if (!grad) return;
  rejectPartialOverlap('grad', grad, 'logits', logits);
  rejectOverlap('grad', grad, 'labels', labels);
  if (gradOutput) rejectPartialOverlap('grad', grad, 'gradOutput', gradOutput);
}
