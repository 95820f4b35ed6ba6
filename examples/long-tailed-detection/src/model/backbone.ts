/**
 * The feature extractor, frozen after pretraining on classes that are never targets: 4 x 4 patches,
 * a 3 x 3 convolution, 2 x 2 patches and another convolution, ending at stride 8 with one row of
 * 144 features per grid cell.
 */
import * as tf from '@tensorflow/tfjs-core';

import { GRID, IMAGE_SIZE, IMAGE_VALUES } from '../data/geometry.ts';
import { Random } from '../data/random.ts';
import { loadTensors, saveTensors } from '../io/safetensors.ts';
import { FEATURES } from './feature-size.ts';
import { addBias, asImages, asRows, convolution3x3, dense, patches, relu } from './layers.ts';
import {
  constantBias,
  heDeviation,
  normalWeights,
  restoreVariable,
  storeTensor,
  type Parameters,
} from './parameters.ts';

const STEM_PATCH = 4;
const MERGE_PATCH = 2;
const [STEM, FIRST, MERGE, LAST] = [48, 48, 96, FEATURES];

type BackboneParameter = `${'stem' | 'first' | 'merge' | 'last'}.${'weight' | 'bias'}`;

export interface FeatureScale {
  /** Per channel, over the pretraining scenes; features leave the backbone standardised by them. */
  mean: tf.Tensor1D;
  deviation: tf.Tensor1D;
}

export class Backbone {
  readonly parameters: Parameters<BackboneParameter>;
  scale: FeatureScale = { mean: tf.zeros([FEATURES]), deviation: tf.ones([FEATURES]) };

  constructor(random: Random) {
    const stemInputs = STEM_PATCH ** 2 * 3;
    const mergeInputs = MERGE_PATCH ** 2 * FIRST;
    this.parameters = {
      'stem.weight': normalWeights([stemInputs, STEM], heDeviation(stemInputs), random),
      'stem.bias': constantBias(STEM, 0),
      'first.weight': normalWeights([3, 3, STEM, FIRST], heDeviation(9 * STEM), random),
      'first.bias': constantBias(FIRST, 0),
      'merge.weight': normalWeights([mergeInputs, MERGE], heDeviation(mergeInputs), random),
      'merge.bias': constantBias(MERGE, 0),
      'last.weight': normalWeights([3, 3, MERGE, LAST], heDeviation(9 * MERGE), random),
      'last.bias': constantBias(LAST, 0),
    };
  }

  static load(path: string): Backbone {
    const backbone = new Backbone(new Random(0));
    const { tensors } = loadTensors(path);
    for (const [name, variable] of Object.entries(backbone.parameters)) {
      restoreVariable(variable, tensors, name);
    }
    const channel = (name: string): tf.Tensor1D => {
      const stored = tensors.get(name);
      if (!stored) throw new Error(`${path} has no ${name}`);
      return tf.tensor1d(stored.data as Float32Array);
    };
    backbone.scale = { mean: channel('feature.mean'), deviation: channel('feature.deviation') };
    return backbone;
  }

  save(path: string, metadata: Record<string, string>): void {
    const named: [string, tf.Tensor][] = [
      ...Object.entries(this.parameters),
      ['feature.mean', this.scale.mean],
      ['feature.deviation', this.scale.deviation],
    ];
    const tensors = new Map(named.map(([name, tensor]) => [name, storeTensor(tensor)]));
    saveTensors(path, { tensors, metadata });
  }

  /** [n, 64, 64, 3] to [n * 64, 144], before standardisation. */
  forward(images: tf.Tensor4D): tf.Tensor2D {
    const p = this.parameters;
    const layer = (x: tf.Tensor2D, name: 'stem' | 'merge'): tf.Tensor2D =>
      relu(addBias(dense(x, p[`${name}.weight`] as tf.Tensor2D), p[`${name}.bias`] as tf.Tensor1D));
    const convolution = (x: tf.Tensor4D, name: 'first' | 'last'): tf.Tensor4D =>
      relu(
        addBias(
          convolution3x3(x, p[`${name}.weight`] as tf.Tensor4D),
          p[`${name}.bias`] as tf.Tensor1D,
        ),
      );
    const stemGrid = IMAGE_SIZE / STEM_PATCH;
    const stem = asImages(layer(patches(images, STEM_PATCH), 'stem'), stemGrid, stemGrid);
    const merged = layer(patches(convolution(stem, 'first'), MERGE_PATCH), 'merge');
    return asRows(convolution(asImages(merged, GRID, GRID), 'last'));
  }

  /** Standardised features of 8-bit images, as the detector's head takes them. */
  features(images: tf.Tensor4D): tf.Tensor2D {
    return tf.div(tf.sub(this.forward(images), this.scale.mean), this.scale.deviation);
  }

  dispose(): void {
    tf.dispose([Object.values(this.parameters), this.scale.mean, this.scale.deviation]);
  }
}

/** 8-bit RGB, scaled to about [-2, 2]; mirrored left to right where asked. */
export function imageBatch(
  pixels: Uint8Array,
  images: readonly { index: number; mirrored: boolean }[],
): tf.Tensor4D {
  const values = new Float32Array(images.length * IMAGE_VALUES);
  for (const [k, { index, mirrored }] of images.entries()) {
    copyImage(pixels, index * IMAGE_VALUES, values, k * IMAGE_VALUES, mirrored);
  }
  return tf.tensor4d(values, [images.length, IMAGE_SIZE, IMAGE_SIZE, 3]);
}

function copyImage(
  source: Uint8Array,
  sourceOffset: number,
  target: Float32Array,
  targetOffset: number,
  mirrored: boolean,
): void {
  for (let y = 0; y < IMAGE_SIZE; y++) {
    for (let x = 0; x < IMAGE_SIZE; x++) {
      const from = sourceOffset + (y * IMAGE_SIZE + (mirrored ? IMAGE_SIZE - 1 - x : x)) * 3;
      const to = targetOffset + (y * IMAGE_SIZE + x) * 3;
      for (let k = 0; k < 3; k++) target[to + k] = source[from + k] / 64 - 2;
    }
  }
}
