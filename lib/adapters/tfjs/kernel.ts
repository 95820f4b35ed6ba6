import * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import { EflArgumentError } from '../../errors';
import { checkOptions, type TfLossOptions } from './check-options';
import { checkTensors } from './check-tensors';
import { LossCall } from './loss-call';
import { hostBackends } from './tensor-memory';

export const kernelName = 'EqualizedFocalLoss';

/** Attributes of the kernel: the criterion, and what {@link TfLossOptions} has. */
export interface LossAttributes extends TfLossOptions {
  readonly criterion: Criterion;
}

// The attributes of a kernel are all that its gradient shares with it besides tensors.
const calls = new WeakMap<object, LossCall>();

/**
 * Registers the kernel `EqualizedFocalLoss` and its gradient with TensorFlow.js, for its backends
 * cpu, wasm and tensorflow, as far as they are not there yet. `tfLoss` does without; this is for those
 * who run kernels by name:
 *
 *     registerEqualizedFocalLoss();
 *     const attributes = { criterion, normalizer: 'positives' };
 *     const loss = tf.engine().runKernel('EqualizedFocalLoss', { logits, labels }, attributes);
 *
 * Logits are float32 [.., C], labels int32 [..] or float32 [.., C]; the gradient by labels is 0. The
 * loss is a scalar, or with `perSample` one for each row. Any criterion will do, despite the name. Losses that share an object of attributes
 * share the g of the last of them. Registering twice is harmless. What is wrong with attributes and
 * inputs is the same {@link EflArgumentError} as in `tfLoss`.
 */
export function registerEqualizedFocalLoss(): void {
  for (const backendName of hostBackends) {
    if (tf.getKernel(kernelName, backendName)) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => {
        const { criterion, ...options } = (attrs ?? {}) as unknown as LossAttributes;
        const call = new LossCall(criterion, checkOptions(criterion, options));
        // The engine hands over its tensors.
        const { logits, labels } = inputs as { logits: tf.Tensor; labels: tf.Tensor };
        checkInputs(criterion, labels, logits);
        const loss = call.loss(logits, labels);
        calls.set(attrs!, call);
        return loss;
      },
    });
  }
  if (tf.getGradient(kernelName)) return;
  tf.registerGradient({
    kernelName,
    inputsToSave: ['logits', 'labels'],
    gradFunc: (dy, [logits, labels], attrs) => ({
      logits: () => calls.get(attrs)!.gradient(logits!, labels!, (dy as tf.Tensor).dataSync()),
      labels: () => tf.zeros(labels!.shape),
    }),
  });
}

/** {@link checkTensors}, and that nothing is left to cast. */
function checkInputs(criterion: Criterion, labels: tf.Tensor, logits: tf.Tensor): void {
  const form = checkTensors(criterion, labels, logits);
  if (form === 'targets' && labels.dtype !== 'float32') {
    throw new EflArgumentError('labels', 'a float32 tensor', `a tensor of ${labels.dtype}`);
  }
}
