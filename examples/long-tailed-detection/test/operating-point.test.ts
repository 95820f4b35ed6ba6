import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DEFAULT_CONFIG, type LossName } from '../src/config.ts';
import type { Detection } from '../src/evaluation/detections.ts';
import { foundByClass, mostCertain } from '../src/evaluation/operating-point.ts';
import { chooseScenes } from '../src/report/scene-choice.ts';
import type { TrainedLoss } from '../src/workers/tasks.ts';

const detection = (classIndex: number, score: number, matched: boolean): Detection => ({
  ...{ classIndex, score, matched },
  ...{ x: 0, y: 0, rank: 0 },
});

test('the most certain detections of all images are kept, in their images', () => {
  const byImage = [
    [detection(0, 0.9, true), detection(1, 0.1, true)],
    [],
    [detection(1, 0.8, false), detection(1, 0.7, true)],
  ];
  const chosen = mostCertain(byImage, 3);
  assert.deepEqual(
    chosen.map(({ image, detections }) => [image, detections.map(({ score }) => score)]),
    [
      [0, [0.9]],
      [1, []],
      [2, [0.8, 0.7]],
    ],
  );
  assert.deepEqual(foundByClass(chosen, 2), [1, 1]);
});

/** A loss that has found so many objects in each scene. */
const lossThatFound = (loss: LossName, ...found: number[]): TrainedLoss => ({
  loss,
  mostCertain: found.map((count, image) => ({
    image,
    detections: Array.from({ length: count }, () => detection(0, 1, true)),
  })),
  ...{ seed: 1, steps: 1, perClass: [] },
  history: { curve: [], lossMilliseconds: [], pending: { sum: 0, steps: 0 } },
});

test('scenes come from both ends of the differences, and from their middle', () => {
  const config = { ...DEFAULT_CONFIG, losses: ['fl', 'efl'] as LossName[] };
  const results = [
    lossThatFound('fl', 1, 3, 0, 2, 1, 0, 2),
    lossThatFound('efl', 1, 0, 2, 2, 1, 3, 1),
  ];
  const { scenes, chosen, rival } = chooseScenes(config, 1, results);
  assert.equal(rival, 'fl');
  assert.deepEqual(scenes, { more: 2, equal: 3, fewer: 2 });
  assert.deepEqual(
    chosen.map(({ image, reason }) => [image, reason]),
    [
      [5, 'most'],
      [2, 'most'],
      [3, 'middle'],
      [1, 'fewest'],
      [6, 'fewest'],
    ],
  );
});
