import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DEFAULT_CONFIG } from '../src/config.ts';
import { GROUPS_AND_ALL } from '../src/evaluation/groups.ts';
import { describeFinding, verdictOf } from '../src/report/finding.ts';
import type { GroupSpread, Spread, Summary } from '../src/report/summary.ts';

const spread = (...values: number[]): Spread => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, values, ...(values.length > 1 && { deviation: 1 }) };
};

function runWith(rare: Spread): Summary {
  const figures = Object.fromEntries(GROUPS_AND_ALL.map((group) => [group, rare])) as GroupSpread;
  const ap = { apBudget: figures, ap100: figures, apUncapped: figures };
  const seeds = rare.values.map((_, i) => i + 1);
  return {
    config: { ...DEFAULT_CONFIG, seeds },
    ...{ reports: [], losses: [], scenes: [] },
    differences: [{ loss: 'efl', baseline: 'fl', ap }],
  };
}

test('a difference is a gain or a loss where every seed says so', () => {
  assert.equal(verdictOf(spread(1, 2, 3)), 'gain');
  assert.equal(verdictOf(spread(-1, -2)), 'loss');
  assert.equal(verdictOf(spread(5, 6, -0.1)), 'unclear');
  assert.equal(verdictOf(spread(9)), 'one seed');
});

test('the finding says which way the seeds went, with their spread', () => {
  const gain = describeFinding(runWith(spread(2, 4)));
  assert.match(
    gain,
    /^After 6 epochs, .* gains 3\.0 ± 1\.0 points .* over Focal Loss .* on every seed/,
  );
  assert.match(gain, /mean ± standard deviation of 2 seeds: 1 and 2/);
  const loss = describeFinding(runWith(spread(-2, -4)));
  assert.match(loss, /loses 3\.0 ± 1\.0 points .* to Focal Loss .* on every seed/);
  const unclear = describeFinding(runWith(spread(-2, 4, 1)));
  assert.match(
    unclear,
    /not clearly better or worse than .* \(\+1\.0 ± 1\.0 .*, better on 2 of 3 seeds\)/,
  );
});

test('one seed has no spread, and its finding says so', () => {
  const finding = describeFinding(runWith(spread(-3)));
  assert.match(finding, /3\.0 points of average precision below Focal Loss/);
  assert.match(finding, /one seed, 1: no spread/);
});
