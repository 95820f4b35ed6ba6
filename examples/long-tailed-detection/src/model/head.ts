/** The part that is trained: two dense layers from the features of a cell to one logit per class. */
import * as tf from '@tensorflow/tfjs-core';

import type { Random } from '../data/random.ts';
import { FEATURES } from './feature-size.ts';
import { addBias, dense, relu } from './layers.ts';
import { constantBias, heDeviation, normalWeights, type Parameters } from './parameters.ts';

export type HeadParameter = `${'hidden' | 'classifier'}.${'weight' | 'bias'}`;

export class DetectionHead {
  readonly parameters: Parameters<HeadParameter>;

  /** The classifier's bias makes every class start with the score `prior`. */
  constructor(classes: number, hiddenUnits: number, bias: number, random: Random) {
    this.parameters = {
      'hidden.weight': normalWeights([FEATURES, hiddenUnits], heDeviation(FEATURES), random),
      'hidden.bias': constantBias(hiddenUnits, 0),
      'classifier.weight': normalWeights([hiddenUnits, classes], 0.01, random),
      'classifier.bias': constantBias(classes, bias),
    };
  }

  /** [cells, 144] to [cells, classes] */
  logits(features: tf.Tensor2D): tf.Tensor2D {
    const p = this.parameters;
    const layer = (x: tf.Tensor2D, name: 'hidden' | 'classifier'): tf.Tensor2D =>
      addBias(dense(x, p[`${name}.weight`] as tf.Tensor2D), p[`${name}.bias`] as tf.Tensor1D);
    return layer(relu(layer(features, 'hidden')), 'classifier');
  }

  dispose(): void {
    tf.dispose(Object.values(this.parameters));
  }
}
