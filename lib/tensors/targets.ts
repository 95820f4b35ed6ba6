import type { PerLevel } from '../binding/addon';
import type { CudaTensor } from '../cuda/cuda-tensor';
import { counterpart } from './counterparts';
import type { Given } from './foreign';
import { kindOf } from '../intrinsics';
import { areLabels } from './labels';
import { levelAt } from './levels';
import type { CheckedLogits } from './logits';
import { valuesOfSameShape, type CheckedTensor, type HostTensor, type TensorLike } from './tensor';

/**
 * Dense targets, in place of labels: a float32 value in [0, 1] for each logit, in the order of the
 * logits; rows may have several positives, or soft ones. With a list of logits a list, one for each
 * level.
 */
export type Targets =
  Float32Array | HostTensor | readonly TensorLike[] | CudaTensor | readonly CudaTensor[];

/**
 * Whether these, read already, are dense targets and not labels: floats are, integers are not. With a
 * list of logits the first of the list tells.
 */
export function areTargets(labels: PerLevel<Given>): boolean {
  const first = levelAt(labels, 0);
  const kind = kindOf(first.data);
  const areFloats = kind === 'Float32Array' || kind === 'Float16Array' || kind === 'Uint16Array';
  return areFloats && !areLabels(first);
}

/** Targets as the addon reads them; their values are checked there, in one pass. */
export function checkTargets(targets: unknown, logits: CheckedLogits): PerLevel<Float32Array> {
  // The parameter's name, which is what the caller sees.
  return counterpart('labels', targets, logits, targetData);
}

function targetData(argument: string, targets: unknown, tensor: CheckedTensor): Float32Array {
  return valuesOfSameShape(argument, targets, tensor, 'dense targets');
}
