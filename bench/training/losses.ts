/** The losses that are compared, each as a differentiable operation with statistics of its gradients. */
import path from 'node:path';
import type { EqualizedFocalLoss } from '../..';
import {
  composedLoss,
  gradientSums,
  targetsOf,
  type Tensor,
  type TensorFlow,
} from '../contenders/tensorflow';
import { packageRoot } from '../host/packages';
import { newCriterion } from '../workload/criterion';
import { baseGamma, scaleFactor } from '../workload/workload';

/** The loss of logits over the number of positives. The gradient has to be taken of every loss. */
export type TrainingLoss = (logits: Tensor) => Tensor;

/** `equalized-focal-loss/tfjs`, as far as it is used. */
interface Adapter {
  readonly tfLoss: (
    criterion: EqualizedFocalLoss,
    options: { normalizer: 'positives' },
  ) => (labels: Tensor, logits: Tensor) => Tensor;
}

/** This package, as users of TensorFlow.js have it. */
export function nativeLoss(tf: TensorFlow, labels: Int32Array, classes: number): TrainingLoss {
  const entry = path.join(packageRoot, 'dist', 'adapters', 'tfjs');
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- where TensorFlow.js is known to be
  const { tfLoss } = require(entry) as Adapter;
  const loss = tfLoss(newCriterion(classes), { normalizer: 'positives' });
  const labelTensor = tf.tensor(labels, [labels.length], 'int32');
  return (logits) => loss(labelTensor, logits);
}

/** The loss in operations of TensorFlow.js, which differentiates it. */
export function composedTrainingLoss(
  tf: TensorFlow,
  labels: Int32Array,
  classes: number,
): TrainingLoss {
  const labelTensor = tf.tensor(labels, [labels.length, 1], 'int32');
  const normalizer = Math.max(1, labels.filter((label) => label > 0).length);
  const sums = [0, 1].map(() => tf.variable(tf.fill([classes], 0), false));
  const gamma = tf.variable(tf.fill([1, classes], baseGamma), false);

  // gamma_j = gamma_b + s (1 - g_j) with g_j from the sums over all steps.
  const collect = (ofStep: readonly Tensor[]): void => {
    sums.forEach((sum, i) => {
      sum.assign(tf.add(sum, ofStep[i]!));
    });
    const ratio = tf.clipByValue(tf.div(sums[0]!, tf.add(sums[1]!, 1e-10)), 0, 1);
    const next = tf.sub(baseGamma + scaleFactor, tf.mul(ratio, scaleFactor));
    gamma.assign(tf.expandDims(next, 0));
  };

  return (logits) => {
    const targets = targetsOf(tf, labelTensor, gamma);
    // The statistics need the gradient by the logits, which passes through here.
    const observe = tf.customGrad((x, save) => {
      save([targets.positive]);
      return {
        value: tf.add(x, 0),
        gradFunc: (dy, [positive]) => {
          collect(gradientSums(tf, dy, positive!));
          return dy;
        },
      };
    });
    return tf.div(composedLoss(tf, observe(logits), targets, gamma), normalizer);
  };
}
