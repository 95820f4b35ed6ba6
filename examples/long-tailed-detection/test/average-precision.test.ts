import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cellAt, CELLS } from '../src/data/geometry.ts';
import { averagePrecision } from '../src/evaluation/average-precision.ts';
import { detect } from '../src/evaluation/detections.ts';

const hits = (...matched: boolean[]) =>
  matched.map((hit, i) => ({ score: 1 - i / 10, matched: hit }));

test('average precision of known rankings', () => {
  assert.equal(averagePrecision(hits(true, true), 2), 1);
  assert.equal(averagePrecision([], 2), 0);
  assert.equal(averagePrecision(hits(false, false), 2), 0);
  // One of two objects found: precision 1 up to recall .5, which are 51 of the 101 points.
  assert.equal(averagePrecision(hits(true, false), 2), 51 / 101);
  // A miss first: precision 1/2 at recall .5, 2/3 at recall 1, and 2/3 everywhere once monotone.
  assert.ok(Math.abs(averagePrecision(hits(false, true, true), 2) - 2 / 3) < 1e-12);
});

test('the order of the hits does not matter, their scores do', () => {
  const ranking = hits(true, false, true, false, false, true);
  const shuffled = [3, 0, 5, 2, 1, 4].map((i) => ranking[i]);
  assert.equal(averagePrecision(shuffled, 3), averagePrecision(ranking, 3));
});

test('detections are local maxima, each object is hit once', () => {
  const classes = 2;
  const scores = new Float32Array(CELLS * classes);
  const object = { image: 0, classIndex: 1, x: 20, y: 20 };
  const cell = cellAt(object.x, object.y);
  scores[cell * classes + 1] = 0.9;
  scores[(cell + 1) * classes + 1] = 0.8; // next to the peak: suppressed
  scores[(cell + 4) * classes + 1] = 0.7; // a peak of its own, far from the object
  scores[cell * classes] = 0.6; // the wrong class
  const certain = detect(scores, classes, [object]).filter(({ score }) => score > 0);
  assert.deepEqual(
    certain.map(({ classIndex, score, rank, matched }) => [
      classIndex,
      Number(score.toFixed(1)),
      rank,
      matched,
    ]),
    [
      [1, 0.9, 0, true],
      [1, 0.7, 1, false],
      [0, 0.6, 2, false],
    ],
  );
});
