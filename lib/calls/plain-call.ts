/** The quick way to check the most common call: bare float32 rows, on this thread. */
import { types } from 'node:util';
import { bufferOf, isPlainBuffer, lengthOf } from '../intrinsics';
import { checkFormat } from '../tensors/layout';
import { isSameMemory, overlaps } from '../tensors/memory';
import { isFloat32Array } from '../tensors/tensor';
import { collectOf, equalizeOf, normalizerOf, numberOf } from './call-numbers';
import type { CallKind, GivenCall } from './call-options';
import type { CallArrays, CallRules, CheckedCall, Reduction } from './checked-call';

const format = checkFormat({});

/**
 * The arrays of such a call: bare float32 rows, an Int32Array of labels, and perhaps a bare gradient.
 * Undefined where anything else is given or anything may be wrong: `checkCall` then looks at each
 * argument by itself, which takes several times as long.
 */
export function plainArrays(
  logits: unknown,
  labels: unknown,
  given: GivenCall,
  { columns, takesQuality, reduction }: CallRules,
): CallArrays | undefined {
  const { grad } = given;
  if (takesQuality || reduction === 'none' || saysMore(given)) return undefined;
  if (!isFloat32Array(logits) || !types.isInt32Array(labels)) return undefined;
  if (grad !== undefined && !isFloat32Array(grad)) return undefined;
  if (!haveMemory(logits, labels, grad)) return undefined;
  // The last: only a buffer with a proxy for a prototype can have run code of the caller before.
  const length = lengthOf(logits);
  // Without values an array may be a detached one.
  if (length === 0 || lengthOf(labels) * columns !== length) return undefined;
  if (grad && lengthOf(grad) !== length) return undefined;
  return {
    logits: {
      tensors: { data: logits, length, shape: undefined, dtype: 'float32', asFloat16Array: false },
      format,
      columns,
    },
    values: logits,
    geometry: undefined,
    labels,
    targets: undefined,
    quality: undefined,
    gradGiven: grad,
    grad,
    gradOutput: undefined,
    rowWeight: undefined,
    mask: undefined,
    classMask: undefined,
  };
}

/** Whether an option other than `grad` is about arrays. */
function saysMore(given: GivenCall): boolean {
  const { quality, layout, anchors, channelOrder, gradOutput } = given;
  return (
    given.rowWeight !== undefined ||
    given.mask !== undefined ||
    given.classMask !== undefined ||
    quality !== undefined ||
    layout !== undefined ||
    anchors !== undefined ||
    channelOrder !== undefined ||
    (gradOutput !== undefined && typeof gradOutput !== 'number')
  );
}

/** Whether all buffers keep their size, and the gradient overlaps no input, or is the logits. */
function haveMemory(
  logits: Float32Array,
  labels: Int32Array,
  grad: Float32Array | undefined,
): boolean {
  const [ofLogits, ofLabels] = [bufferOf(logits), bufferOf(labels)];
  if (!isPlainBuffer(ofLogits) || !isPlainBuffer(ofLabels)) return false;
  if (!grad) return true;
  const buffer = bufferOf(grad);
  if (!isPlainBuffer(buffer)) return false;
  if (buffer === ofLabels && overlaps(grad, labels)) return false;
  return buffer !== ofLogits || isSameMemory(grad, logits) || !overlaps(grad, logits);
}

/** Such a call. Core checks its numbers when it is made. */
export function plainCall(
  arrays: CallArrays,
  given: GivenCall,
  { wantsGradient, gradientsGiven }: CallKind,
  reduction: Reduction,
): CheckedCall {
  return {
    given,
    arrays,
    wantsGradient,
    wantsElements: false,
    gradientsGiven,
    upstream: numberOf(given.gradOutput, 1),
    normalizer: normalizerOf(given.normalizer, reduction),
    collect: collectOf(given.collect, gradientsGiven),
    equalize: equalizeOf(given.equalize),
    signal: undefined,
    transfer: false,
    stream: undefined,
  };
}
