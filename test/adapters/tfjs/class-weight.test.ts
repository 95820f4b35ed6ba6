import { runFixture } from './tensorflow';

interface Step {
  readonly loss: number;
  readonly gradient: readonly number[];
  readonly sums: readonly number[];
}

interface Warned extends Step {
  readonly warned: readonly string[];
}

interface ClassWeight {
  readonly single: Step;
  readonly batch: readonly [Step, Step];
  readonly positives: readonly [Step, Step];
  readonly before: readonly string[];
  readonly plain: Warned;
  readonly scaled: Warned;
  readonly silent: Warned;
  readonly asleep: readonly string[];
}

function expectStep(actual: Step, expected: Step): void {
  const figures = ({ loss, gradient, sums }: Step): number[] => [loss, ...gradient, ...sums];
  const wanted = figures(expected);
  figures(actual).forEach((value, i) => {
    expect(Math.abs(value / wanted[i]! - 1)).toBeLessThan(1e-5);
  });
}

describe.each(['cpu', 'wasm', 'tensorflow', 'foreign'])('classWeight of fit(), %s', (backend) => {
  let result: ClassWeight;
  beforeAll(async () => {
    ({ result } = await runFixture<ClassWeight>('class-weight', backend));
  }, 60_000);

  test('weighs a row by its class: 0.9849 of a row becomes 9.849', () => {
    expect(result.single.loss.toPrecision(4)).toBe('9.849');
  });

  test('gives the loss, the gradient and the statistics of a weight for each row', () => {
    expectStep(...result.batch);
    expectStep(...result.positives);
  });

  test('multiplies a scalar by the mean weight, which a process warning says once', () => {
    const { plain, scaled } = result;
    expect((scaled.loss / plain.loss).toFixed(3)).not.toBe('1.000');
    expect(scaled.warned).toEqual([
      expect.stringMatching(/^EFL_TFJS_SCALED: tfLoss: .* multiplied by 4, .* perSample: true/),
    ]);
  });

  test('is not warned of where nothing is scaled, or where the warning is turned off', () => {
    const { before, plain, silent } = result;
    const scaled = [before, plain.warned, silent.warned].flat();
    expect(scaled.filter((text) => !text.startsWith('EFL_TFJS_COMPOSED'))).toEqual([]);
    for (const [i, value] of silent.gradient.entries()) {
      expect(value / plain.gradient[i]!).toBeCloseTo(4, 3);
    }
  });

  test('StatisticsCallback warns once of a loss asleep, and of one that collects nothing', () => {
    expect(result.asleep).toEqual([
      expect.stringMatching(/^EFL_ASLEEP: EqualizedFocalLoss, epoch 1: g is at least 1 for all 3/),
      expect.stringMatching(/^EFL_ASLEEP: EqualizedFocalLoss, epoch 1: No gradient/),
    ]);
  });
});
