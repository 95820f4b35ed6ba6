import { focalElement, sigmoid, softplus, uncancelled } from './element';
import type { SoftElementResult, Weights } from './element';

// As constants: a look at a global is slow in the sandbox of the test runner.
const { abs, max, pow, sign } = Math;

/**
 * Quality Focal Loss: with d = q - p, L = weight |d|^gamma BCE(x, q) and
 * dL/dx = -sign(d) weight |d|^(gamma - 1) (d^2 + gamma p (1 - p) BCE(x, q)), for gamma >= 1.
 * A quality of 0 is a negative.
 */
export function qualityElement(
  x: number,
  q: number,
  gamma: number,
  { positive, negative }: Weights,
): SoftElementResult {
  const weight = q * positive + (1 - q) * negative;
  if (q === 0 || q === 1) {
    return uncancelled(focalElement(x, q === 1, gamma, weight));
  }
  const raised = q * sigmoid(-x);
  const lowered = (1 - q) * sigmoid(x);
  const entropy = (1 - q) * softplus(x) + q * softplus(-x);
  // The product of both probabilities vanishes faster than the entropy grows.
  const curve = entropy === Infinity ? 0 : gamma * sigmoid(x) * sigmoid(-x) * entropy;

  const d = raised - lowered;
  const size = abs(d);
  const uncertain = raised + lowered;
  const resolved = max(size, 1e-7 * uncertain);
  return {
    loss: weight * pow(size, gamma) * entropy,
    gradient: -sign(d) * weight * pow(size, gamma - 1) * (d * d + curve),
    lossScale: weight * pow(resolved, gamma - 1) * uncertain * entropy,
    gradientScale: weight * pow(resolved, gamma - 2) * uncertain * (resolved * resolved + curve),
  };
}
