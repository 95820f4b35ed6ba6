import type { Given } from './foreign';
import { kindOf } from '../intrinsics';
import { areLabels } from './labels';
import { valuesOfSameShape, type CheckedTensor } from './tensor';

/** Whether these, read already, are dense targets and not labels: floats are, integers are not. */
export function areTargets(first: Given): boolean {
  const kind = kindOf(first.data);
  const areFloats = kind === 'Float32Array' || kind === 'Float16Array' || kind === 'Uint16Array';
  return areFloats && !areLabels(first);
}

/** The targets of one tensor; the addon checks their values. */
export function targetData(
  argument: string,
  targets: unknown,
  tensor: CheckedTensor<unknown>,
): Float32Array {
  return valuesOfSameShape(argument, targets, tensor, 'dense targets');
}
