/** The losses that are compared, each as a differentiable operation with statistics of its gradients. */
import path from 'node:path';
import type { EqualizedFocalLoss } from '../..';
import {
  composedLoss,
  gradientSums,
  targetsOf,
  type Tensor,
  type TensorFlow,
  type Variable,
} from '../contenders/tensorflow';
import { packageRoot } from '../host/packages';
import { newCriterion } from '../workload/criterion';
import { baseGamma, scaleFactor } from '../workload/workload';

export interface TrainingLoss {
  /** The loss over the number of positives. The gradient has to be taken of every loss. */
  of(logits: Tensor): Tensor;
}

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
  return { of: (logits) => loss(labelTensor, logits) };
}

/** The loss in operations of TensorFlow.js, which differentiates it. */
export class ComposedLoss implements TrainingLoss {
  readonly #tf: TensorFlow;
  readonly #labels: Tensor;
  readonly #normalizer: number;
  readonly #positive: Variable;
  readonly #negative: Variable;
  /** gamma_j, 1 x classes. */
  readonly #gamma: Variable;

  constructor(tf: TensorFlow, labels: Int32Array, classes: number) {
    this.#tf = tf;
    this.#labels = tf.tensor(labels, [labels.length, 1], 'int32');
    this.#normalizer = Math.max(1, labels.filter((label) => label > 0).length);
    this.#positive = tf.variable(tf.fill([classes], 0), false);
    this.#negative = tf.variable(tf.fill([classes], 0), false);
    this.#gamma = tf.variable(tf.fill([1, classes], baseGamma), false);
  }

  of(logits: Tensor): Tensor {
    const tf = this.#tf;
    const targets = targetsOf(tf, this.#labels, this.#gamma);
    // The statistics need the gradient by the logits, which passes through here.
    const observe = tf.customGrad((x, save) => {
      save([targets.positive]);
      return {
        value: tf.add(x, 0),
        gradFunc: (dy, [positive]) => {
          this.#collect(gradientSums(tf, dy, positive!));
          return dy;
        },
      };
    });
    const loss = composedLoss(tf, observe(logits), targets, this.#gamma);
    return tf.div(loss, this.#normalizer);
  }

  /** gamma_j = gamma_b + s (1 - g_j) with g_j from the sums over all steps. */
  #collect([positive, negative]: readonly Tensor[]): void {
    const tf = this.#tf;
    this.#positive.assign(tf.add(this.#positive, positive!));
    this.#negative.assign(tf.add(this.#negative, negative!));
    const ratio = tf.div(this.#positive, tf.add(this.#negative, 1e-10));
    const gamma = tf.sub(baseGamma + scaleFactor, tf.mul(tf.clipByValue(ratio, 0, 1), scaleFactor));
    this.#gamma.assign(tf.expandDims(gamma, 0));
  }
}
