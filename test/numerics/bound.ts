/** Bounds in a few round figures. */

const STEPS = [1, 2, 5, 10];

/** The next of 1, 2 and 5 x 10^k. */
function stepAbove(value: number): number {
  if (value === 0) {
    return 0;
  }
  const exponent = Math.floor(Math.log10(value));
  const steps = STEPS.map((step) => Number(`${step}e${exponent}`));
  return steps.find((step) => step >= value)!;
}

/** The worst of many values hardly differs by compiler and instruction set. */
export function worstBound(value: number): number {
  return stepAbove(1.04 * value);
}

/** In a sum errors cancel, as chance has it. */
export function sumBound(value: number): number {
  return stepAbove(1.3 * value);
}

/** Two digits, rounded up: for errors that are one rounding, the same everywhere. */
export function roundingBound(value: number): number {
  if (value === 0) {
    return 0;
  }
  const exponent = Math.floor(Math.log10(value)) - 1;
  return Number(`${Math.ceil(value / 10 ** exponent)}e${exponent}`);
}

export function boundText(bound: number): string {
  return bound === 0 ? '0' : bound.toExponential();
}
