import * as tf from '@tensorflow/tfjs-layers';
import { FEATURES } from './data.ts';

/** Two dense layers. The last has no activation: the loss takes logits. */
export function createModel(classes: number): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [FEATURES],
        units: 64,
        activation: 'relu',
        kernelInitializer: tf.initializers.heNormal({ seed: 1 }),
      }),
      tf.layers.dense({
        units: classes,
        kernelInitializer: tf.initializers.randomNormal({ stddev: 0.01, seed: 2 }),
      }),
    ],
  });
}
