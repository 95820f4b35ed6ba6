import fc from 'fast-check';
import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { elementTolerance, ELEMENT, expectClose, STATISTICS } from '../reference/compare';
import {
  equalizedPair,
  expectSameOutput,
  expectSameState,
  expectStatistics,
  ratioState,
  stateOf,
} from '../reference/harness';
import type { Call } from '../reference/harness';
import { relabel, takeColumns, takeRows } from '../reference/inputs';
import { Random } from '../reference/random';
import {
  alpha,
  check,
  equalizedGamma,
  equalizedProblem,
  factor,
  positiveFactor,
  problem,
  scaleFactor,
  shuffleSeed,
} from './support';
import type { EqualizedProblem } from './support';

type ScaleCall = Pick<Call, 'normalizer' | 'gradOutput' | 'lossScale'>;

/** Weights grow to (gamma + s) / gamma = 5 here, and results may underflow before it. */
const TWICE = { relative: 2e-5, absolute: elementTolerance(10).absolute! };
const TWICE_STATISTICS = { ...STATISTICS, relative: 2 * STATISTICS.relative };

describe('Equalized Focal Loss', () => {
  test('with all ratios 1 is Focal Loss, bit for bit', () => {
    check(
      fc.property(
        problem(),
        equalizedGamma,
        alpha,
        scaleFactor,
        ({ numClasses, background, logits, labels }, gamma, a, s) => {
          const options = { numClasses, background, gamma, alpha: a };
          const equalized = new EqualizedFocalLoss({ ...options, scaleFactor: s });
          const ones = new Float64Array(numClasses).fill(1);
          equalized.loadStateDict({ pos_grad: ones, neg_grad: ones, pos_neg: ones });
          expectSameOutput(
            equalized.forwardBackward(logits, labels),
            new FocalLoss(options).forwardBackward(logits, labels),
          );
        },
      ),
    );
  });

  test('with scale factor 0 is Focal Loss whatever the ratios', () => {
    check(
      fc.property(equalizedProblem(), ({ numClasses, background, logits, labels, ratios }) => {
        const options = { numClasses, background };
        const { criterion } = equalizedPair({ ...options, scaleFactor: 0 }, ratios);
        const output = criterion.forwardBackward(logits, labels);
        const expected = new FocalLoss(options).forwardBackward(logits, labels);
        expectClose('loss', output.loss, expected.loss, TWICE);
        expectClose('grad', output.grad, expected.grad, TWICE);
      }),
    );
  });
});

describe('permuting', () => {
  test('the classes permutes gradients, sums and ratios', () => {
    check(
      fc.property(
        equalizedProblem({ background: 'last' }),
        shuffleSeed,
        ({ numClasses, background, logits, labels, ratios }, seed) => {
          const order = new Random(seed).permutation(numClasses);
          const permuted = <T>(values: ArrayLike<T>): T[] => order.map((j) => values[j]!);
          const plain = equalizedPair({ numClasses, background }, ratios).criterion;
          const mixed = equalizedPair({ numClasses, background }, permuted(ratios)).criterion;
          const expected = plain.forwardBackward(logits, labels);
          const output = mixed.forwardBackward(
            takeColumns(logits, numClasses, order),
            labels.map((label) => (order.includes(label) ? order.indexOf(label) : label)),
          );
          expectClose('loss', output.loss, expected.loss, TWICE);
          expectClose('grad', output.grad, takeColumns(expected.grad, numClasses, order), TWICE);
          const before = plain.statistics;
          expectClose(
            'positive',
            mixed.statistics.positive,
            permuted(before.positive),
            TWICE_STATISTICS,
          );
          expectClose(
            'negative',
            mixed.statistics.negative,
            permuted(before.negative),
            TWICE_STATISTICS,
          );
          expectClose('ratio', mixed.gradientRatio, permuted(plain.gradientRatio), {
            relative: 1e-5,
          });
        },
      ),
    );
  });

  test('the rows permutes gradients and keeps loss and sums', () => {
    check(
      fc.property(equalizedProblem({ maxRows: 40 }), shuffleSeed, (given, seed) => {
        const { numClasses, background, rows, logits, labels, ratios } = given;
        const order = new Random(seed).permutation(rows);
        const plain = equalizedPair({ numClasses, background }, ratios).criterion;
        const mixed = equalizedPair({ numClasses, background }, ratios).criterion;
        const expected = plain.forwardBackward(logits, labels);
        const output = mixed.forwardBackward(
          takeRows(logits, numClasses, order),
          order.map((row) => labels[row]!),
        );
        expectClose('loss', output.loss, expected.loss, TWICE);
        expectClose('grad', output.grad, takeRows(expected.grad, numClasses, order), TWICE);
        expectClose(
          'positive',
          mixed.statistics.positive,
          plain.statistics.positive,
          TWICE_STATISTICS,
        );
        expectClose(
          'negative',
          mixed.statistics.negative,
          plain.statistics.negative,
          TWICE_STATISTICS,
        );
      }),
    );
  });
});

describe('splitting the rows into two calls', () => {
  test('adds up to the loss, gradients and sums of one call', () => {
    check(
      fc.property(
        equalizedProblem({ maxRows: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ numClasses, background, rows, logits, labels, ratios }, share) => {
          const options = { numClasses, background };
          const cut = Math.round(share * rows);
          const parts = [
            { logits: logits.subarray(0, cut * numClasses), labels: labels.slice(0, cut) },
            { logits: logits.subarray(cut * numClasses), labels: labels.slice(cut) },
          ];
          const whole = equalizedPair(options, ratios).criterion;
          const expected = whole.forwardBackward(logits, labels);
          const apart = equalizedPair(options, ratios).criterion;
          const outputs = parts.map((part) =>
            apart.forwardBackward(part.logits, part.labels, { collect: false }),
          );
          parts.forEach((part, i) => {
            apart.collectGrad(outputs[i]!.grad, part.labels);
          });
          const sum = (of: (output: (typeof outputs)[number]) => number): number =>
            outputs.reduce((total, output) => total + of(output), 0);
          expectClose(
            'loss',
            sum(({ loss }) => loss),
            expected.loss,
            TWICE,
          );
          expect(sum(({ positives }) => positives)).toBe(expected.positives);
          expect(sum(({ ignored }) => ignored)).toBe(expected.ignored);
          expectClose(
            'grad',
            outputs.flatMap(({ grad }) => [...grad]),
            expected.grad,
            TWICE,
          );
          expectStatistics(apart.statistics, whole.statistics);
        },
      ),
    );
  });
});

describe('scaling', () => {
  const divided = fc.record({ normalizer: positiveFactor });

  test('the normalizer divides loss, gradient and sums', () => {
    check(
      fc.property(equalizedProblem(), divided, (given, { normalizer }) => {
        expectScaled(given, { normalizer }, {}, 1 / normalizer, 1 / normalizer, 1 / normalizer);
      }),
    );
  });

  test('the loss weight multiplies loss, gradient and sums', () => {
    check(
      fc.property(equalizedProblem(), factor, (given, lossWeight) => {
        expectScaled(given, {}, { lossWeight }, lossWeight, lossWeight, Math.abs(lossWeight));
      }),
    );
  });

  test('gradOutput and loss scale multiply the gradient; only gradOutput the sums', () => {
    check(
      fc.property(equalizedProblem(), factor, positiveFactor, (given, gradOutput, lossScale) => {
        const inGrad = gradOutput * lossScale;
        expectScaled(given, { gradOutput, lossScale }, {}, 1, inGrad, Math.abs(gradOutput));
      }),
    );
  });

  /** How much the call and options change loss, gradient and sums against a plain call. */
  function expectScaled(
    { numClasses, background, logits, labels, ratios }: EqualizedProblem,
    call: ScaleCall,
    options: { lossWeight?: number },
    inLoss: number,
    inGrad: number,
    inSums: number,
  ): void {
    const run = (settings: object, callOptions: ScaleCall) => {
      const criterion = new EqualizedFocalLoss({ numClasses, background, ...settings });
      const { pos_neg } = ratioState(ratios);
      const none = new Float64Array(numClasses);
      criterion.loadStateDict({ pos_grad: none, neg_grad: none, pos_neg });
      return { output: criterion.forwardBackward(logits, labels, callOptions), criterion };
    };
    const plain = run({}, {});
    const scaled = run(options, call);
    const tolerance = {
      relative: 2e-5,
      absolute: elementTolerance(500 * Math.abs(inGrad)).absolute!,
    };
    const { output } = scaled;
    expectClose('loss', output.loss, inLoss * plain.output.loss, ELEMENT);
    expectClose(
      'grad',
      output.grad,
      plain.output.grad.map((g) => inGrad * g),
      tolerance,
    );
    const times = (values: Float64Array): Float64Array => values.map((value) => inSums * value);
    const { positive, negative } = plain.criterion.statistics;
    expectStatistics(scaled.criterion.statistics, {
      positive: times(positive),
      negative: times(negative),
    });
  }
});

describe('label conventions', () => {
  test('give the same results when the labels mean the same', () => {
    check(
      fc.property(
        equalizedProblem({ background: 'first' }),
        ({ numClasses, logits, labels, ratios }) => {
          const first = equalizedPair({ numClasses }, ratios).criterion;
          const expected = first.forwardBackward(logits, labels);
          const conventions = labels.includes(0)
            ? (['last'] as const)
            : (['last', 'none'] as const);
          for (const background of conventions) {
            const other = equalizedPair({ numClasses, background }, ratios).criterion;
            const translated = relabel(labels, numClasses, background);
            expectSameOutput(other.forwardBackward(logits, translated), expected);
            expectSameState(stateOf(other), stateOf(first));
          }
        },
      ),
    );
  });

  test('may name any other label to ignore', () => {
    const ignoreIndex = fc.oneof(
      fc.integer({ min: 1000, max: 2 ** 31 - 1 }),
      fc.integer({ min: -(2 ** 31), max: -1 }),
    );
    check(
      fc.property(problem({ background: 'first' }), ignoreIndex, (given, ignored) => {
        const { numClasses, logits, labels } = given;
        expectSameOutput(
          new FocalLoss({ numClasses, ignoreIndex: [ignored] }).forwardBackward(
            logits,
            labels.map((label) => (label === -1 ? ignored : label)),
          ),
          new FocalLoss({ numClasses }).forwardBackward(logits, labels),
        );
      }),
    );
  });

  test('make ignored rows as good as absent', () => {
    check(
      fc.property(equalizedProblem({ maxRows: 30 }), (given) => {
        const { numClasses, background, rows, logits, labels, ratios } = given;
        const kept = Array.from({ length: rows }, (_, row) => row).filter(
          (row) => labels[row] !== -1,
        );
        const all = equalizedPair({ numClasses, background }, ratios).criterion;
        const few = equalizedPair({ numClasses, background }, ratios).criterion;
        const output = all.forwardBackward(logits, labels);
        const expected = few.forwardBackward(
          takeRows(logits, numClasses, kept),
          kept.map((row) => labels[row]!),
        );
        expectClose('loss', output.loss, expected.loss, ELEMENT);
        expectClose('grad', takeRows(output.grad, numClasses, kept), expected.grad, TWICE);
        expectStatistics(all.statistics, few.statistics);
        expect(all.statistics.steps).toBe(few.statistics.steps);
      }),
    );
  });
});
