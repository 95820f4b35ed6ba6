import path from 'node:path';
import { EqualizedFocalLoss } from '../..';
import { packageRoot } from '../optional';
import type { Tensor, TensorFlow } from '../tensorflow';
import { alpha, baseGamma, scaleFactor } from '../workload';
import type { TrainingLoss } from './loss';

/** `equalized-focal-loss/tfjs`, as far as it is used. */
interface Adapter {
  readonly tfLoss: (
    criterion: EqualizedFocalLoss,
    options: { normalizer: 'positives' },
  ) => (labels: Tensor, logits: Tensor) => Tensor;
}

/** This package, as users of TensorFlow.js have it. */
export class NativeLoss implements TrainingLoss {
  readonly #labels: Tensor;
  readonly #loss: ReturnType<Adapter['tfLoss']>;

  constructor(tf: TensorFlow, labels: Int32Array, numClasses: number) {
    const entry = path.join(packageRoot, 'dist', 'adapters', 'tfjs');
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- where TensorFlow.js is known to be
    const { tfLoss } = require(entry) as Adapter;
    const options = { numClasses, gamma: baseGamma, alpha, scaleFactor };
    this.#labels = tf.tensor(labels, [labels.length], 'int32');
    this.#loss = tfLoss(new EqualizedFocalLoss(options), { normalizer: 'positives' });
  }

  of(logits: Tensor): Tensor {
    return this.#loss(this.#labels, logits);
  }
}
