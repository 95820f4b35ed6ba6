import * as tf from '@tensorflow/tfjs-core';
import { Criterion } from '../../criteria/criterion';
import { EflError } from '../../errors';
import { reject } from '../../validation';
import { LossCall, type TfLossOptions } from './loss-call';
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
 * cpu, wasm and tensorflow, as far as they are not there yet. `tfLoss` does so itself; this is for
 * those who run kernels by name:
 *
 *     registerEqualizedFocalLoss();
 *     const attributes = { criterion, normalizer: 'positives' };
 *     const loss = tf.engine().runKernel('EqualizedFocalLoss', { logits, labels }, attributes);
 *
 * Logits are float32 [.., C], labels int32 [..] or float32 [.., C]. The loss is a scalar. Any
 * criterion will do, despite the name. Doing it twice is harmless.
 */
export function registerEqualizedFocalLoss(): void {
  for (const backendName of hostBackends) {
    if (tf.getKernel(kernelName, backendName)) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => {
        const attributes = checkAttributes(attrs);
        const call = new LossCall(attributes.criterion, attributes);
        calls.set(attributes, call);
        // The engine hands over its tensors.
        return tf.scalar(call.loss(inputs['logits'] as tf.Tensor, inputs['labels'] as tf.Tensor));
      },
    });
  }
  if (tf.getGradient(kernelName)) return;
  tf.registerGradient({
    kernelName,
    inputsToSave: ['logits', 'labels'],
    gradFunc: (dy, [logits, labels], attrs) => ({
      logits: () => {
        const [upstream] = (dy as tf.Tensor).dataSync();
        return calls.get(attrs)!.gradient(logits!, labels!, upstream!);
      },
      labels: () => {
        throw new EflError('EFL_NOT_DIFFERENTIABLE', 'the loss has no gradient by its labels');
      },
    }),
  });
}

function checkAttributes(attrs: object | undefined): LossAttributes {
  const attributes = (attrs ?? {}) as Partial<LossAttributes>;
  if (!(attributes.criterion instanceof Criterion)) {
    reject('criterion', 'a criterion of equalized-focal-loss', attributes.criterion);
  }
  return attributes as LossAttributes;
}
