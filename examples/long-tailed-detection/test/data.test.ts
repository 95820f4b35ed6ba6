import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DEFAULT_CONFIG } from '../src/config.ts';
import { loadClassSplit, makeClassSplit } from '../src/data/class-split.ts';
import { balancedCounts, groupOf, longTailedCounts } from '../src/data/counts.ts';
import { BACKGROUND_LABEL, cellAt, CELLS, labelOfClass } from '../src/data/geometry.ts';
import { makeScenes } from '../src/data/scenes.ts';
import { loadSprites } from '../src/data/sprites.ts';
import { sharedNames } from '../src/data/vendors.ts';
import { planSeed } from '../src/experiment/seed-plan.ts';

test('120 classes split into groups as LVIS does', () => {
  const counts = longTailedCounts(120);
  const inGroup = (group: string) => counts.filter((n) => groupOf(n) === group).length;
  assert.deepEqual([inGroup('rare'), inGroup('common'), inGroup('frequent')], [34, 46, 40]);
  assert.ok(
    counts.every((n, i) => i === 0 || n <= counts[i - 1]),
    'sorted',
  );
  assert.equal(counts.at(-1), 1);
});

test('the balanced control has about as many objects', () => {
  const total = (counts: number[]) => counts.reduce((sum, n) => sum + n, 0);
  const balanced = balancedCounts(120);
  assert.equal(new Set(balanced).size, 1);
  assert.ok(Math.abs(total(balanced) / total(longTailedCounts(120)) - 1) < 0.01);
});

test('no class the backbone has seen can become a target', () => {
  const { targetPool, pretraining, pretrainingClutter } = loadClassSplit();
  const seen = new Set([...pretraining, ...pretrainingClutter]);
  assert.ok(targetPool.every((name) => !seen.has(name)));
  assert.equal(new Set(targetPool).size, targetPool.length);
});

test('the committed lists are those of the rule', () => {
  assert.deepEqual(loadClassSplit(), makeClassSplit(sharedNames()));
});

test('another seed makes other things rare', () => {
  const rarest = (seed: number) => planSeed(DEFAULT_CONFIG, seed, 400).classSprites.at(-1);
  assert.notEqual(rarest(1), rarest(2));
});

test('scenes hold every class as often as planned, and label the cells of its centres', async () => {
  const sheet = await loadSprites(loadClassSplit().targetPool);
  const plan = planSeed({ ...DEFAULT_CONFIG, classes: 12 }, 3, sheet.names.length);
  const scenes = makeScenes(sheet, plan.training);
  const images = plan.counts.map(
    (_, c) => new Set(scenes.objects.filter((o) => o.classIndex === c).map((o) => o.image)).size,
  );
  assert.deepEqual(images, plan.counts);
  for (const { image, classIndex, x, y } of scenes.objects) {
    assert.equal(scenes.labels[image * CELLS + cellAt(x, y)], labelOfClass(classIndex));
  }
  const positives = scenes.labels.filter((label) => label > BACKGROUND_LABEL).length;
  assert.equal(positives, scenes.objects.length);
  assert.deepEqual(makeScenes(sheet, plan.training).pixels, scenes.pixels, 'reproducible');
});
