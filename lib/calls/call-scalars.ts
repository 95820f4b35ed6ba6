/** The options of a call that are one value each. */
import { normalizerPositives } from '../binding/addon';
import { isFiniteFloat32, numberOption, reject } from '../validation';
import type { Reduction } from './checked-call';

/** The divisor of the sum, in the addon's terms. */
export function checkNormalizer(value: unknown, reduction: Reduction): number {
  if (value === undefined) return 1;
  if (reduction !== 'sum') reject('normalizer', `none with reduction '${reduction}'`, value);
  if (value === 'positives') return normalizerPositives;
  // 1 / value is the factor the kernels use.
  if (
    typeof value !== 'number' ||
    !(value > 0) ||
    !isFiniteFloat32(value) ||
    !isFiniteFloat32(1 / value)
  ) {
    reject('normalizer', "a finite number > 0 or 'positives'", value);
  }
  return value;
}

/** Whether an upstream gradient comes as one value for each element, as only 'none' has it. */
export function isPerElement(gradOutput: unknown, reduction: Reduction): boolean {
  return typeof gradOutput === 'object' && gradOutput !== null && reduction === 'none';
}

/** An upstream gradient that is one number for all elements. */
export function checkUpstream(gradOutput: unknown, reduction: Reduction): number {
  const expected =
    reduction === 'none' ? 'a finite number, or one for each element' : 'a finite number';
  return numberOption('gradOutput', gradOutput, 1, expected, isFiniteFloat32);
}

export function checkLossScale(value: unknown): number {
  return numberOption('lossScale', value, 1, 'a finite number other than 0', isLossScale);
}

function isLossScale(scale: number): boolean {
  return isFiniteFloat32(scale) && Math.fround(scale) !== 0;
}

/**
 * Each factor of the gradient is finite; their product has to be, too. Of what is on a device only
 * the kernels know the value.
 */
export function checkScale(
  lossWeight: number,
  upstream: unknown,
  lossScale: number,
  normalizer: unknown,
): void {
  const factor = typeof upstream === 'number' ? upstream : 1;
  const isDivisor = typeof normalizer === 'number' && normalizer !== normalizerPositives;
  const scale = (lossWeight * factor * lossScale) / (isDivisor ? normalizer : 1);
  if (!isFiniteFloat32(scale)) {
    const product = 'lossWeight x gradOutput x lossScale / normalizer';
    reject('gradOutput', `a factor that leaves ${product} finite in float32`, factor);
  }
}

export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal !== undefined && !isAbortSignal(signal)) reject('signal', 'an AbortSignal', signal);
  return signal;
}

/** By what is used of one: there are implementations of the web's beside that of Node.js. */
function isAbortSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('aborted' in value)) return false;
  const { addEventListener, removeEventListener } = value as Partial<AbortSignal>;
  return typeof addEventListener === 'function' && typeof removeEventListener === 'function';
}
