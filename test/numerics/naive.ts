/** Focal Loss written down as in the paper and derived by the chain rule, rounded to float32. */
import type { ElementResult } from '../reference/element';

// As constants: a look at a global is slow in the sandbox of the test runner.
const { exp, fround, log } = Math;

export function naiveSigmoid(x: number): number {
  return fround(1 / fround(1 + fround(exp(-x))));
}

/** gamma = 2, no alpha: -log(p_t + epsilon) (1 - p_t)^2. */
export function naiveElement(x: number, isPositive: boolean, epsilon: number): ElementResult {
  const p = naiveSigmoid(fround(x));
  const pt = isPositive ? p : fround(1 - p);
  const inside = fround(pt + epsilon);
  const entropy = -fround(log(inside));
  const miss = fround(1 - pt);
  const modulator = fround(miss * miss);

  const byEntropy = fround(-modulator / inside);
  const byModulator = fround(entropy * fround(-2 * miss));
  const byPt = fround(byEntropy + byModulator);
  const slope = fround(p * fround(1 - p));
  return {
    loss: fround(entropy * modulator),
    gradient: fround((isPositive ? byPt : -byPt) * slope),
  };
}

/** log(1 + exp(x)) */
export function naiveSoftplus(x: number): number {
  return fround(log(fround(1 + fround(exp(x)))));
}
