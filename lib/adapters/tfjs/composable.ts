import type { Criterion } from '../../criteria/criterion';
import { EflArgumentError } from '../../errors';

/** The losses that element-operations.ts has, and whether their targets are qualities. */
const takesQuality = new Map<string, boolean>([
  ['focal', false],
  ['qualityFocal', true],
  ['crossEntropy', false],
]);

/** The rules that column-parameters.ts knows by the criteria that have them. */
const rules: readonly string[] = ['fixed', 'equalizedFocal', 'equalizationV2'];

/**
 * Whether the targets of a criterion are qualities.
 *
 * @throws {@link EflArgumentError} for a loss that cannot be composed: what another one would give in
 * its place would be a wrong number.
 */
export function composesQuality(criterion: Criterion, backend: string): boolean {
  const { loss, rule = 'fixed' } = criterion.definition;
  const quality = takesQuality.get(loss);
  if (quality === undefined || !rules.includes(rule)) {
    const expected = `a loss that can be composed of TensorFlow.js operations on the backend '${backend}'`;
    throw new EflArgumentError('criterion', expected, criterion.constructor.name);
  }
  return quality;
}
