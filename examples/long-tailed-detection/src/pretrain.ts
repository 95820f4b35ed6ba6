/**
 * Trains the backbone again: softmax over 400 classes that are never targets, and background. One
 * core, a few minutes; the result is the committed assets/backbone.safetensors.
 *
 *   npm run pretrain [-- --steps 2000 --out assets/backbone.safetensors]
 */
import { parseArgs } from 'node:util';

import * as tf from '@tensorflow/tfjs-core';

import { loadClassSplit } from './data/class-split.ts';
import { BACKGROUND_LABEL, CELLS, mirroredCell } from './data/geometry.ts';
import { Random } from './data/random.ts';
import { makeScenes, type SceneSet } from './data/scenes.ts';
import { loadSprites } from './data/sprites.ts';
import { Backbone, imageBatch } from './model/backbone.ts';
import { FEATURES } from './model/feature-size.ts';
import { addBias, dense, pickRows, softmaxCrossEntropy } from './model/layers.ts';
import { constantBias, normalWeights } from './model/parameters.ts';
import { startTensorFlow } from './model/tensorflow.ts';
import { BACKBONE_FILE } from './paths.ts';

const IMAGES_PER_CLASS = 60;
const BATCH = 32;
const PEAK_RATE = 2e-3;
const WARM_UP = 50;
/** Share of the background cells used; all of them would drown the objects. */
const BACKGROUND_SHARE = 0.06;
const SCALE_IMAGES = 512;
const REPORT_EVERY = 50;

interface Batch {
  images: tf.Tensor4D;
  /** Rows (cells of the batch) that are classified, and their labels. */
  rows: number[];
  labels: number[];
}

interface Progress {
  loss: number;
  hits: number;
  objects: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      steps: { type: 'string', default: '2000' },
      out: { type: 'string', default: BACKBONE_FILE },
    },
  });
  const steps = Number(values.steps);
  if (!Number.isInteger(steps) || steps < 1) throw new Error('--steps takes a positive integer');

  await startTensorFlow();
  const scenes = await pretrainingScenes();
  console.log(`${scenes.images} scenes with ${scenes.objects.length} objects, ${steps} steps`);
  const backbone = new Backbone(new Random(3));
  train(backbone, scenes, steps);
  backbone.scale = measureFeatures(backbone, scenes);
  backbone.save(values.out, { steps: String(steps), classes: String(scenes.classes) });
  console.log(`wrote ${values.out}`);
}

async function pretrainingScenes(): Promise<SceneSet> {
  const { pretraining, pretrainingClutter } = loadClassSplit();
  const sheet = await loadSprites([...pretraining, ...pretrainingClutter]);
  const clutterSprites = pretrainingClutter.map((_, i) => pretraining.length + i);
  return makeScenes(sheet, {
    classSprites: pretraining.map((_, i) => i),
    clutterSprites,
    counts: pretraining.map(() => IMAGES_PER_CLASS),
    seed: 42,
  });
}

function train(backbone: Backbone, scenes: SceneSet, steps: number): void {
  const random = new Random(4);
  const outputs = scenes.classes + 1;
  const weight = normalWeights([FEATURES, outputs], 0.02, random);
  const bias = constantBias(outputs, 0);
  const optimizer = tf.train.adam(PEAK_RATE) as tf.AdamOptimizer & { learningRate: number };
  const classify = (features: tf.Tensor2D): tf.Tensor2D =>
    addBias(dense(features, weight as tf.Tensor2D), bias as tf.Tensor1D);
  const started = performance.now();
  let order: number[] = [];
  let progress: Progress = { loss: 0, hits: 0, objects: 0 };
  for (let step = 0; step < steps; step++) {
    optimizer.learningRate = learningRate(step, steps);
    const chosen = Array.from({ length: BATCH }, () => {
      if (order.length === 0) order = random.shuffle([...Array(scenes.images).keys()]);
      return { index: order.pop()!, mirrored: random.next() < 0.5 };
    });
    tf.tidy(() => {
      trainStep(backbone, classify, optimizer, makeBatch(scenes, chosen, random), progress);
    });
    if ((step + 1) % REPORT_EVERY === 0 || step + 1 === steps) {
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      const loss = (progress.loss / REPORT_EVERY).toFixed(3);
      const accuracy = ((100 * progress.hits) / progress.objects).toFixed(1);
      console.log(`step ${step + 1}: loss ${loss}, objects right ${accuracy} %, ${seconds} s`);
      progress = { loss: 0, hits: 0, objects: 0 };
    }
  }
}

/** Linear warm-up, then a cosine to zero. */
function learningRate(step: number, steps: number): number {
  const warm = Math.min(1, (step + 1) / WARM_UP);
  return PEAK_RATE * warm * 0.5 * (1 + Math.cos((Math.PI * step) / steps)) + 1e-6;
}

function makeBatch(
  scenes: SceneSet,
  chosen: readonly { index: number; mirrored: boolean }[],
  random: Random,
): Batch {
  const rows: number[] = [];
  const labels: number[] = [];
  for (const [k, { index, mirrored }] of chosen.entries()) {
    for (let cell = 0; cell < CELLS; cell++) {
      const label = scenes.labels[index * CELLS + (mirrored ? mirroredCell(cell) : cell)];
      const background = label === BACKGROUND_LABEL && random.next() < BACKGROUND_SHARE;
      if (label > BACKGROUND_LABEL || background) {
        rows.push(k * CELLS + cell);
        labels.push(label);
      }
    }
  }
  return { images: imageBatch(scenes.pixels, chosen), rows, labels };
}

function trainStep(
  backbone: Backbone,
  classify: (features: tf.Tensor2D) => tf.Tensor2D,
  optimizer: tf.Optimizer,
  { images, rows, labels }: Batch,
  progress: Progress,
): void {
  const rowNumbers = tf.tensor1d(rows, 'int32');
  let guesses: Int32Array = new Int32Array();
  const { value, grads } = tf.variableGrads(() => {
    const logits = classify(pickRows(backbone.forward(images), rowNumbers));
    guesses = Int32Array.from(tf.argMax(logits, 1).dataSync());
    return softmaxCrossEntropy(logits, tf.tensor1d(labels, 'int32'));
  });
  optimizer.applyGradients(grads);
  progress.loss += value.dataSync()[0];
  for (const [i, label] of labels.entries()) {
    if (label === BACKGROUND_LABEL) continue;
    progress.objects++;
    if (guesses[i] === label) progress.hits++;
  }
}

/** Mean and deviation of every feature over some of the scenes. */
function measureFeatures(backbone: Backbone, scenes: SceneSet): Backbone['scale'] {
  const chunk = 64;
  return tf.tidy(() => {
    const batches = Array.from({ length: SCALE_IMAGES / chunk }, (_, b) =>
      tf.tidy(() => {
        const indices = Array.from({ length: chunk }, (_, k) => b * chunk + k);
        const images = indices.map((index) => ({ index, mirrored: false }));
        return backbone.forward(imageBatch(scenes.pixels, images));
      }),
    );
    const { mean, variance } = tf.moments(tf.concat(batches), 0);
    return { mean: mean as tf.Tensor1D, deviation: tf.sqrt(tf.add(variance, 1e-4)) as tf.Tensor1D };
  });
}

await main();
