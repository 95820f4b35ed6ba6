/**
 * Trains the same classifier with Focal Loss and with Equalized Focal Loss, by `fit()` of TensorFlow.js
 * on its wasm backend:
 *
 *     node ../../scripts/run-example.mjs tfjs-training [--epochs N] [--out FOLDER]
 */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';

import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { EqualizedFocalLoss, FocalLoss } from 'equalized-focal-loss';
import {
  enableFastWasmGradients,
  saveStateCallback,
  StatisticsCallback,
  tfLoss,
} from 'equalized-focal-loss/tfjs';

import { FEATURES, loadDataset, type Dataset, type Examples } from './data.ts';
import { createModel } from './model.ts';

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '60' },
    out: { type: 'string', default: join('runs', 'tfjs-training') },
  },
});

async function startTensorFlow(): Promise<void> {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(dirname(entry) + sep);
  if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend did not start');
  // Dense layers and convolutions train several times faster with it.
  enableFastWasmGradients();
}

function featuresOf({ features, labels }: Examples): tf.Tensor2D {
  return tf.tensor2d(features, [labels.length, FEATURES]);
}

/** `fit()` takes dense targets only: of the shape of the logits. */
function targetsOf({ labels }: Examples, classes: number): tf.Tensor {
  return tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), classes), 'float32'));
}

function printEveryTenth(line: string): void {
  if (/^epoch \d*0:/.test(line)) console.log(`  ${line}`);
}

async function train(
  name: string,
  criterion: FocalLoss | EqualizedFocalLoss,
  { categories, groups, training }: Dataset,
  folder: string,
): Promise<LayersModel> {
  const model = createModel(categories.length);
  model.compile({
    optimizer: tf.train.momentum(0.05, 0.9),
    loss: tfLoss(criterion, { normalizer: 'positives' }),
  });
  const callbacks =
    criterion instanceof EqualizedFocalLoss
      ? [
          new StatisticsCallback(criterion, { groups, print: printEveryTenth }),
          saveStateCallback(criterion, join(folder, `${name}.safetensors`)),
        ]
      : [];
  const [x, y] = [featuresOf(training), targetsOf(training, categories.length)];
  const epochs = Number(values.epochs);
  // Not shuffled, so that every run gives the same figures; the drawings are mixed already.
  const { history } = await model.fit(x, y, {
    ...{ epochs, batchSize: 32, shuffle: false, verbose: 0 },
    callbacks,
  });
  tf.dispose([x, y]);
  const [first, last] = [history['loss']![0] as number, history['loss']!.at(-1) as number];
  console.log(`  loss ${first.toFixed(4)} -> ${last.toFixed(4)}`);
  return model;
}

/** Share of the test drawings of each group whose category gets the highest score, in %. */
function recalls(model: LayersModel, { groups, test }: Dataset): Record<string, number> {
  const predicted = tf.tidy(() =>
    tf.argMax(model.predict(featuresOf(test)) as tf.Tensor, 1).dataSync(),
  );
  const recall = (group: readonly number[]): number => {
    const rows = [...test.labels.keys()].filter((row) => group.includes(test.labels[row]!));
    return (100 * rows.filter((row) => predicted[row] === test.labels[row]).length) / rows.length;
  };
  return Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, recall(group)]));
}

await startTensorFlow();
const folder = resolve(process.env['INIT_CWD'] ?? '.', values.out);
mkdirSync(folder, { recursive: true });
const dataset = loadDataset();
const { categories, training, test } = dataset;
console.log(
  `${training.labels.length} drawings to train with, ${test.labels.length} to test, ` +
    `${categories.length} categories`,
);
const options = { numClasses: categories.length, background: 'none' } as const;
const table: Record<string, Record<string, string>> = {};
for (const [name, criterion] of [
  ['focal-loss', new FocalLoss(options)],
  ['equalized-focal-loss', new EqualizedFocalLoss({ ...options, scaleFactor: 4 })],
] as const) {
  console.log(name);
  const model = await train(name, criterion, dataset, folder);
  const figures = Object.entries(recalls(model, dataset));
  table[name] = Object.fromEntries(figures.map(([group, value]) => [group, value.toFixed(1)]));
  model.dispose();
}
console.log('Recall of the test drawings in %, by how many their category was trained with:');
console.table(table);
console.log(`State of the criterion: ${join(folder, 'equalized-focal-loss.safetensors')}`);
