import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { EqualizedFocalLoss } from '../../lib';
import { expectClose, expectSame } from '../reference/compare';
import { expectRefused, expectSameState, stateOf } from '../reference/harness';
import { check, equalizedProblem, factor, positiveFactor, problemOf, ratios } from './support';

const sum = fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true });

const state = fc.integer({ min: 1, max: 30 }).chain((numClasses) => {
  const sums = fc.array(sum, { minLength: numClasses, maxLength: numClasses });
  return fc.record({
    pos_grad: sums.map((values) => Float64Array.from(values)),
    neg_grad: sums.map((values) => Float64Array.from(values)),
    steps: fc.nat(),
  });
});

/** The state as a criterion could have it: with the ratios of its sums. */
const consistent = state.map((given) => ({
  ...given,
  pos_neg: given.pos_grad.map((positive, j) =>
    Math.min(1, positive / (given.neg_grad[j]! + 1e-10)),
  ),
}));

describe('the sums and ratios', () => {
  test('stay as they are through a state dict', () => {
    check(
      fc.property(consistent, (given) => {
        const criterion = new EqualizedFocalLoss({ numClasses: given.pos_grad.length });
        criterion.loadStateDict(given);
        const dict = criterion.stateDict();
        expectSame('pos_grad', dict.pos_grad, given.pos_grad);
        expectSame('neg_grad', dict.neg_grad, given.neg_grad);
        expectSame('pos_neg', dict.pos_neg, given.pos_neg);
        expect(criterion.statistics.steps).toBe(given.steps);
      }),
    );
  });

  test('stay as they are through a file', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'efl-property-'));
    const file = path.join(folder, 'state.safetensors');
    try {
      check(
        fc.property(consistent, (given) => {
          const numClasses = given.pos_grad.length;
          const source = new EqualizedFocalLoss({ numClasses });
          source.loadStateDict(given);
          source.saveState(file);
          const target = new EqualizedFocalLoss({ numClasses });
          target.loadState(file);
          expectSameState(stateOf(target), stateOf(source));
          const other = new EqualizedFocalLoss({ numClasses: numClasses + 1 });
          expectRefused(() => {
            other.loadState(file);
          }, 'path');
        }),
        40,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('only ever grow, and the ratio is their clamped quotient', () => {
    const calls = fc
      .integer({ min: 1, max: 12 })
      .chain((numClasses) =>
        fc.array(problemOf(numClasses, 'first', { maxRows: 6 }), { minLength: 1, maxLength: 4 }),
      );
    check(
      fc.property(calls, (problems) => {
        const { numClasses } = problems[0]!;
        const criterion = new EqualizedFocalLoss({ numClasses });
        let before = stateOf(criterion);
        for (const { logits, labels } of problems) {
          criterion.forwardBackward(logits, labels);
          const after = stateOf(criterion);
          for (const sums of ['positive', 'negative'] as const) {
            expect(after[sums].every((value, j) => value >= before[sums][j]!)).toBe(true);
          }
          if (after.steps > 0) {
            expectClose(
              'ratio',
              after.ratio,
              after.positive.map((value, j) => Math.min(1, value / (after.negative[j]! + 1e-10))),
              { relative: 1e-15, absolute: 5e-324 },
            );
          }
          before = after;
        }
      }),
    );
  });

  test('decide the focusing and weighting factors', () => {
    const settings = fc.record({
      gamma: fc.double({ min: 0.1, max: 5, noNaN: true }),
      scaleFactor: fc.double({ min: 0, max: 10, noNaN: true }),
    });
    check(
      fc.property(ratios(7), settings, (values, { gamma, scaleFactor }) => {
        const criterion = new EqualizedFocalLoss({ numClasses: 7, gamma, scaleFactor });
        const ones = new Float64Array(7).fill(1);
        criterion.loadStateDict({ pos_grad: values, neg_grad: ones, pos_neg: values });
        const expected = [...criterion.gradientRatio].map((g) => gamma + scaleFactor * (1 - g));
        const tolerance = { relative: 1e-12 };
        expectClose('focusing', criterion.focusingFactor, expected, tolerance);
        const weights = expected.map((value) => value / gamma);
        expectClose('weighting', criterion.weightingFactor, weights, tolerance);
      }),
    );
  });
});

describe('collectGrad', () => {
  test('finds in the gradient of a call what the call gathered', () => {
    const scales = fc.record({
      gradOutput: factor,
      lossScale: positiveFactor,
      normalizer: positiveFactor,
    });
    check(
      fc.property(equalizedProblem({ maxRows: 30 }), scales, (given, call) => {
        const { numClasses, background, logits, labels, ratios: pos_neg } = given;
        const none = new Float64Array(numClasses);
        const fused = new EqualizedFocalLoss({ numClasses, background });
        const separate = new EqualizedFocalLoss({ numClasses, background });
        for (const criterion of [fused, separate]) {
          criterion.loadStateDict({ pos_grad: none, neg_grad: none, pos_neg });
        }
        const { grad } = fused.forwardBackward(logits, labels, call);
        separate.collectGrad(grad, labels, { lossScale: call.lossScale });
        // Gradients below the range of float32 are lost on the way through the array.
        const tolerance = { relative: 1e-6, absolute: 1e-30 };
        const { positive, negative, steps } = separate.statistics;
        expectClose('positive', positive, fused.statistics.positive, tolerance);
        expectClose('negative', negative, fused.statistics.negative, tolerance);
        expect(steps).toBe(fused.statistics.steps);
      }),
    );
  });
});
