import type { Criterion } from '../../criteria/criterion';
import { EflArgumentError } from '../../errors';

/** The losses that element-operations.ts has, and whether their targets are qualities. */
const takesQuality = new Map<string, boolean>([
  ['focal', false],
  ['qualityFocal', true],
  ['crossEntropy', false],
]);

/**
 * Whether the targets of a criterion are qualities.
 *
 * @throws {@link EflArgumentError} for a loss that cannot be composed: what another one would give in
 * its place would be a wrong number.
 */
export function composesQuality(criterion: Criterion, backend: string): boolean {
  const quality = takesQuality.get(criterion.definition.loss);
  if (quality === undefined) {
    const expected = `a loss that can be composed of TensorFlow.js operations on the backend '${backend}'`;
    throw new EflArgumentError('criterion', expected, criterion.constructor.name);
  }
  return quality;
}
