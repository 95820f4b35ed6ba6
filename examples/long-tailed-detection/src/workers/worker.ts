/** The tasks a worker thread can do. One thread has one TensorFlow.js, which uses one core. */
import { parentPort } from 'node:worker_threads';

import { EqualizedFocalLoss } from 'equalized-focal-loss';
import * as tf from '@tensorflow/tfjs-core';

import { AP_NAMES } from '../config.ts';
import { GROUPS } from '../data/counts.ts';
import { CELLS } from '../data/geometry.ts';
import { makeScenes, type SceneSet } from '../data/scenes.ts';
import { InterruptedError } from '../errors.ts';
import { evaluate, type Evaluation } from '../evaluation/evaluate.ts';
import { groupMeans } from '../evaluation/groups.ts';
import { TensorBoardWriter } from '../io/tensorboard.ts';
import { Backbone, imageBatch } from '../model/backbone.ts';
import { FEATURES } from '../model/feature-size.ts';
import { startTensorFlow } from '../model/tensorflow.ts';
import { BACKBONE_FILE } from '../paths.ts';
import { Trainer } from '../training/trainer.ts';
import type {
  FeatureTask,
  ProgressMessage,
  SceneTask,
  TaskControl,
  TrainedLoss,
  TrainOutcome,
  TrainTask,
} from './tasks.ts';

const IMAGES_AT_ONCE = 64;

const report = (message: ProgressMessage): void => parentPort?.postMessage(message);
const stopped = ({ stop }: TaskControl): boolean => Atomics.load(stop, 0) !== 0;

export function drawScenes(task: SceneTask): SceneSet {
  if (stopped(task)) throw new InterruptedError();
  return makeScenes(task.sheet, task.recipe);
}

export async function extractFeatures(task: FeatureTask): Promise<void> {
  await startTensorFlow();
  const backbone = Backbone.load(BACKBONE_FILE);
  for (let first = task.from; first < task.to; first += IMAGES_AT_ONCE) {
    if (stopped(task)) throw new InterruptedError();
    const last = Math.min(task.to, first + IMAGES_AT_ONCE);
    const images = Array.from({ length: last - first }, (_, k) => ({
      index: first + k,
      mirrored: task.mirrored,
    }));
    tf.tidy(() => {
      const features = backbone.features(imageBatch(task.pixels, images));
      task.features.set(features.dataSync(), first * CELLS * FEATURES);
    });
    report({ id: task.id, done: last - task.from, total: task.to - task.from });
  }
  backbone.dispose();
}

export async function trainLoss(task: TrainTask): Promise<TrainOutcome> {
  await startTensorFlow();
  const trainer = new Trainer(task);
  try {
    trainer.restore(task.files.checkpoint);
    const log = new TensorBoardWriter(task.files.tensorboard, trainer.step);
    const finished = trainToTheEnd(trainer, task, log);
    const result = finished ? measure(trainer, task) : undefined;
    if (result) logFigures(result, task, log);
    log.close();
    return result;
  } finally {
    trainer.dispose();
  }
}

/** False when asked to stop; a checkpoint is there then. */
function trainToTheEnd(trainer: Trainer, task: TrainTask, log: TensorBoardWriter): boolean {
  const { id, files } = task;
  while (!trainer.done) {
    if (stopped(task)) {
      trainer.save(files.checkpoint);
      return false;
    }
    trainer.trainStep(log);
    const epochEnd = trainer.step % trainer.stepsPerEpoch === 0;
    if (epochEnd || trainer.done) trainer.save(files.checkpoint);
    const loss = trainer.history.curve.at(-1)?.loss.toFixed(2) ?? '-';
    report({ id, done: trainer.step, total: trainer.steps, detail: `loss ${loss}` });
  }
  return true;
}

function measure(trainer: Trainer, task: TrainTask): TrainedLoss {
  const { loss, seed, files } = task;
  report({ id: task.id, done: trainer.steps, total: trainer.steps, detail: 'scoring' });
  const { perClass, mostCertain } = scoreTestScenes(trainer, task);
  const { criterion, steps, history } = trainer;
  const result = { loss, seed, steps, perClass, mostCertain, history };
  if (!(criterion instanceof EqualizedFocalLoss)) return result;
  criterion.saveState(files.criterionState);
  return {
    ...result,
    gradientRatio: [...criterion.gradientRatio],
    focusingFactor: [...criterion.focusingFactor],
  };
}

function scoreTestScenes(trainer: Trainer, { config, test }: TrainTask): Evaluation {
  const perImage = CELLS * FEATURES;
  return evaluate(
    (image) => trainer.scores(test.features.slice(image * perImage, (image + 1) * perImage)),
    config.classes,
    test,
  );
}

function logFigures(result: TrainedLoss, { counts }: TrainTask, log: TensorBoardWriter): void {
  for (const name of AP_NAMES) {
    const means = groupMeans(
      result.perClass.map((figures) => 100 * figures[name]),
      counts,
    );
    for (const group of [...GROUPS, 'all'] as const) {
      log.scalar(`test/${name}/${group}`, means[group], result.steps);
    }
  }
}
