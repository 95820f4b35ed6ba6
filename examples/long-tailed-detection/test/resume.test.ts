import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { EqualizedFocalLoss } from 'equalized-focal-loss';

import { DEFAULT_CONFIG, LOSS_NAMES, type LossName } from '../src/config.ts';
import { longTailedCounts } from '../src/data/counts.ts';
import { CELLS } from '../src/data/geometry.ts';
import { Random } from '../src/data/random.ts';
import { FEATURES } from '../src/model/feature-size.ts';
import { startTensorFlow } from '../src/model/tensorflow.ts';
import { Trainer } from '../src/training/trainer.ts';

const IMAGES = 40;
const config = { ...DEFAULT_CONFIG, classes: 12, epochs: 3, batchSize: 8 };
const directory = mkdtempSync(join(tmpdir(), 'resume-'));

before(startTensorFlow);
after(() => {
  rmSync(directory, { recursive: true });
});

/** Random features and labels: what is learned does not matter here. */
function newTrainer(loss: LossName): Trainer {
  const random = new Random(7);
  const features = (): Float32Array =>
    Float32Array.from({ length: IMAGES * CELLS * FEATURES }, () => random.normal());
  const labels = Int32Array.from({ length: IMAGES * CELLS }, () =>
    random.next() < 0.06 ? 1 + random.integer(config.classes) : random.next() < 0.05 ? -1 : 0,
  );
  const data = { images: IMAGES, plain: features(), mirrored: features(), labels };
  return new Trainer({ loss, seed: 1, config, counts: longTailedCounts(config.classes), data });
}

/** Everything that must be the same; times are not among it. */
function outcome(trainer: Trainer): unknown {
  const weights = Object.entries(trainer.head.parameters).map(([name, variable]) => [
    name,
    Float32Array.from(variable.dataSync()),
  ]);
  const { criterion, history, step } = trainer;
  const statistics = criterion instanceof EqualizedFocalLoss ? criterion.statistics : undefined;
  return {
    weights,
    statistics,
    curve: history.curve,
    times: history.lossMilliseconds.length,
    step,
  };
}

function trainTo(trainer: Trainer, step: number): void {
  while (trainer.step < step) trainer.trainStep();
}

for (const loss of LOSS_NAMES) {
  test(`${loss}: a run interrupted anywhere ends as the uninterrupted one, to the last bit`, () => {
    const whole = newTrainer(loss);
    trainTo(whole, whole.steps);
    // The first step, the middle of an epoch, and a step after the end of one.
    for (const interruption of [1, 7, 11]) {
      const path = join(directory, `${loss}-${interruption}.safetensors`);
      const first = newTrainer(loss);
      trainTo(first, interruption);
      first.save(path);
      const second = newTrainer(loss);
      second.restore(path);
      trainTo(second, second.steps);
      assert.deepEqual(outcome(second), outcome(whole));
      first.dispose();
      second.dispose();
    }
    whole.dispose();
  });
}
