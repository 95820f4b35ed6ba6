// The problem of docs/choosing.md in which positives outweigh negatives, and its figures there.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { EqualizedFocalLoss } from '../../lib';
import { problemClasses, trainOnFewNegatives } from '../reference/few-negatives';

const steps = 1500;
const lastSteps = 1000;
const shown = [50, 300, steps];

/** Positive over negative gradient of the median class at the steps shown, and how the rest went. */
interface Course {
  readonly medians: readonly number[];
  /** The least g at the end. */
  readonly least: number;
  /** How many of the last steps have been asleep. */
  readonly asleep: number;
  /** Of all g of the last steps, how many in a hundred are below 0.95. */
  readonly awake: number;
}

function courseOf(halfLife: number | undefined): Course {
  const criterion = new EqualizedFocalLoss({ numClasses: problemClasses, halfLife });
  const medians: number[] = [];
  let [asleep, awake] = [0, 0];
  trainOnFewNegatives(criterion, steps, (step) => {
    if (step > steps - lastSteps) {
      const findings = criterion.diagnose();
      asleep += findings.some(({ kind }) => kind === 'asleep') ? 1 : 0;
      awake += criterion.gradientRatio.filter((ratio) => ratio < 0.95).length;
    }
    if (!shown.includes(step)) return;
    const { positive, negative } = criterion.statistics;
    const quotients = positive.map((sum, j) => sum / negative[j]!).sort();
    medians.push(quotients[quotients.length >> 1]!);
  });
  const least = Math.min(...criterion.gradientRatio);
  return { medians, least, asleep, awake: (100 * awake) / (lastSteps * problemClasses) };
}

const document = readFileSync(path.join(__dirname, '..', '..', 'docs', 'choosing.md'), 'utf8');

/** The row of a half-life in the document, as numbers. */
function rowOf(halfLife: number | undefined): number[] {
  const row = document.split('\n').find((line) => line.startsWith(`| ${halfLife ?? 'none'} `))!;
  return row.split('|').slice(2, -1).map(parseFloat);
}

test.each([[undefined], [50], [20]])('with a halfLife of %p it goes as documented', (halfLife) => {
  const { medians, least, asleep, awake } = courseOf(halfLife);
  const [first, second, last, ...rest] = rowOf(halfLife);
  [first, second, last].forEach((median, i) => {
    expect(Math.abs(medians[i]! / median! - 1)).toBeLessThan(0.05);
  });
  // Other kernels round otherwise, and a training amplifies that.
  [least - rest[0]!, (asleep - rest[1]!) / 500, (awake - rest[2]!) / 100].forEach((error) => {
    expect(Math.abs(error)).toBeLessThan(0.03);
  });
});

test('without a halfLife it is asleep to the end, and says what wakes it', () => {
  const criterion = new EqualizedFocalLoss({ numClasses: problemClasses });
  trainOnFewNegatives(criterion, 300, () => undefined);
  expect(new Set(criterion.gradientRatio)).toEqual(new Set([1]));
  const [finding] = criterion.diagnose();
  expect(finding).toMatchObject({ kind: 'asleep', value: 1 });
  expect(finding!.advice).toContain('halfLife');
});
