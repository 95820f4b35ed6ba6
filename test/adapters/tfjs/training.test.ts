import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runFixture } from './tensorflow';

interface Training {
  readonly losses: readonly number[];
  readonly expected: readonly number[];
  readonly ratio: readonly number[];
  readonly expectedRatio: readonly number[];
  readonly sums: readonly number[];
  readonly expectedSums: readonly number[];
  readonly steps: number;
  readonly validation: object;
  readonly callbacks: {
    readonly history: readonly string[];
    readonly gammaOfRare: readonly number[];
    readonly expectedGamma: number;
    readonly savedState: boolean;
  };
  readonly leaks: object;
}

function worstOf(actual: readonly number[], expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  return Math.max(...actual.map((value, i) => Math.abs(value / expected[i]! - 1)));
}

describe.each(['cpu', 'wasm', 'tensorflow'])('fit() on real drawings, backend %s', (backend) => {
  let training: Training;
  beforeAll(async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'efl-tfjs-'));
    training = (await runFixture<Training>('training', backend, folder)).result;
    rmSync(folder, { recursive: true });
  }, 60_000);

  test('has at every step the loss of the composed operations, differentiated', () => {
    expect(training.losses.length).toBeGreaterThan(90);
    expect(training.losses.at(-1)).toBeLessThan(training.losses[0]! / 2);
    expect(worstOf(training.losses, training.expected)).toBeLessThan(1e-5);
  });

  test('ends with their state', () => {
    expect(training.steps).toBe(training.losses.length);
    expect(worstOf(training.sums, training.expectedSums)).toBeLessThan(1e-5);
    expect(worstOf(training.ratio, training.expectedRatio)).toBeLessThan(1e-5);
    expect(Math.min(...training.ratio)).toBeLessThan(0.9);
  });

  test('leaves validation, evaluate and predict out of the state', () => {
    const losses = [expect.any(Number) as number, expect.any(Number) as number];
    expect(training.validation).toEqual({ losses, sameState: true, unmoved: true });
  });

  test('has g and gamma of each group in its history, and the state in a file', () => {
    const { history, gammaOfRare, expectedGamma, savedState } = training.callbacks;
    expect(history).toEqual(
      ['rare', 'common', 'frequent']
        .flatMap((group) => [`g_${group}`, `gamma_${group}`])
        .concat('loss', 'val_loss')
        .sort(),
    );
    expect(gammaOfRare).toHaveLength(2);
    expect(gammaOfRare[1]).toBeCloseTo(expectedGamma, 10);
    expect(savedState).toBe(true);
  });

  test('leaves nothing behind after 1,000 steps', () => {
    expect(training.leaks).toEqual({ tensors: 0, data: 0, heap: 0 });
  });
});
