import { alphaFactor, focalElement, sigmoid, softplus } from './element';
import type { ElementResult } from './element';

/** An element whose gradient is a difference of two terms: `scale` is the sum of their sizes. */
export interface DenseElementResult extends ElementResult {
  readonly scale: number;
}

/**
 * Focal Loss of a soft target y: alpha_t BCE(x, y) (1 - p_t)^gamma with
 * p_t = p y + (1 - p)(1 - y), alpha_t = alpha y + (1 - alpha)(1 - y), or 1 for a negative alpha.
 */
export function denseElement(
  x: number,
  y: number,
  gamma: number,
  alpha: number,
): DenseElementResult {
  if (y === 0 || y === 1) {
    const hard = focalElement(x, y === 1, gamma, alphaFactor(alpha, y === 1));
    return { ...hard, scale: Math.abs(hard.gradient) };
  }
  const p = sigmoid(x);
  const q = sigmoid(-x);
  const miss = p * (1 - y) + q * y;
  const missSlope = p * q * (1 - 2 * y);
  const entropy = (1 - y) * softplus(x) + y * softplus(-x);
  const factor = (alpha < 0 ? 1 : alpha * y + (1 - alpha) * (1 - y)) * Math.pow(miss, gamma);
  const slope = gamma === 0 ? 0 : (gamma * missSlope * entropy) / miss;
  return {
    loss: factor * entropy,
    gradient: factor * ((1 - y) * p - y * q + slope),
    scale: factor * ((1 - y) * p + y * q + Math.abs(slope)),
  };
}

export interface DenseOptions {
  readonly alpha?: number;
  readonly gamma?: number;
  readonly reduction?: 'none' | 'mean' | 'sum';
}

export interface DenseResult {
  readonly loss: number;
  readonly nonFinite: number;
  readonly elements: Float64Array;
  readonly grad: Float64Array;
  /** Per element, the size of the terms whose difference the gradient is. */
  readonly gradScale: Float64Array;
}

/** The whole dense call; gradOutput is a number or one value per element. */
export function denseReference(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  options: DenseOptions = {},
  gradOutput: number | ArrayLike<number> = 1,
): DenseResult {
  const { alpha = 0.25, gamma = 2, reduction = 'none' } = options;
  const count = logits.length;
  const divisor = reduction === 'mean' ? Math.max(count, 1) : 1;
  const elements = new Float64Array(count);
  const grad = new Float64Array(count);
  const gradScale = new Float64Array(count);
  let total = 0;
  let nonFinite = 0;
  for (let i = 0; i < count; i += 1) {
    const x = logits[i]!;
    const element = denseElement(x, targets[i]!, gamma, alpha);
    const upstream = (typeof gradOutput === 'number' ? gradOutput : gradOutput[i]!) / divisor;
    elements[i] = element.loss;
    grad[i] = element.gradient * upstream;
    gradScale[i] = element.scale * Math.abs(upstream);
    total += element.loss;
    nonFinite += Number.isFinite(x) ? 0 : 1;
  }
  return { loss: total / divisor, nonFinite, elements, grad, gradScale };
}
