/**
 * A criterion as a differentiable TensorFlow.js operation. Logits and gradient are views of the
 * wasm heap: the native code reads the one and writes the other in place, nothing is copied.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

import { differentiable } from '../model/layers.ts';
import type { Criterion } from './criteria.ts';

export interface NativeLoss {
  value: tf.Scalar;
  /** Time inside the criterion: loss, gradient and gradient statistics. */
  milliseconds: number;
}

/**
 * The loss of one training step. The criterion collects its gradient statistics here, in the forward
 * pass, which is right because the training loop takes the gradient of every loss it computes.
 */
export function nativeLoss(
  criterion: Criterion,
  logits: tf.Tensor2D,
  labels: Int32Array,
  normalizer: number,
): NativeLoss {
  let milliseconds = 0;
  const operation = differentiable((x: tf.Tensor2D) => {
    const backend = tf.backend() as BackendWasm;
    // Memory first, views second: when the heap grows, every view made before is detached.
    const output = backend.makeOutput(x.shape, 'float32');
    const gradient = backend.typedArrayFromHeap(output) as Float32Array;
    const input = backend.typedArrayFromHeap(x) as Float32Array;
    const started = performance.now();
    const { loss } = criterion.forwardBackward(input, labels, { normalizer, grad: gradient });
    milliseconds = performance.now() - started;
    return {
      value: tf.scalar(loss),
      saved: [tf.engine().makeTensorFromTensorInfo(output)],
      gradient: (dy, [dLogits]) => [tf.mul(dLogits, dy)],
    };
  });
  return { value: operation(logits), milliseconds };
}
