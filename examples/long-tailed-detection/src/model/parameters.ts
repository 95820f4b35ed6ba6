/** Named weights: initialisation, and the way to and from files. */
import * as tf from '@tensorflow/tfjs-core';

import type { Random } from '../data/random.ts';
import type { StoredTensor } from '../io/safetensors.ts';

export type Parameters<Name extends string> = Record<Name, tf.Variable>;

/** Normal weights from our own generator, so that a seed gives the same model everywhere. */
export function normalWeights(shape: number[], deviation: number, random: Random): tf.Variable {
  const size = shape.reduce((product, n) => product * n, 1);
  const values = Float32Array.from({ length: size }, () => random.normal() * deviation);
  return tf.variable(tf.tensor(values, shape));
}

/** Deviation that keeps the size of activations through a ReLU layer (He et al. 2015). */
export const heDeviation = (inputs: number): number => Math.sqrt(2 / inputs);

export function constantBias(size: number, value: number): tf.Variable {
  return tf.variable(tf.fill([size], value));
}

/** A copy on the JavaScript side; the wasm memory of a tensor must not be kept. */
export function storeTensor(tensor: tf.Tensor): StoredTensor {
  return { data: Float32Array.from(tensor.dataSync()), shape: tensor.shape };
}

export function restoreVariable(
  variable: tf.Variable,
  stored: ReadonlyMap<string, StoredTensor>,
  name: string,
): void {
  const tensor = stored.get(name);
  if (!tensor || tensor.shape.join() !== variable.shape.join()) {
    throw new Error(`weights ${name} are missing or have another shape`);
  }
  tf.tidy(() => {
    variable.assign(tf.tensor(tensor.data, variable.shape));
  });
}
