import { elementValues, gradientValues } from '../tensors/counterparts';
import { readGiven, type Given } from '../tensors/foreign';
import { labelData } from '../tensors/labels';
import { classMaskData, maskData } from '../tensors/masks';
import { isSameMemory, overlaps, rejectVanished } from '../tensors/memory';
import { qualityData, rowWeightData } from '../tensors/quality';
import { areTargets, targetData } from '../tensors/targets';
import { checkTensor } from '../tensors/tensor';
import type { ArgumentReader } from './argument-reader';
import type { CheckedCall, OnHost } from './checked-call';
import { checkTransfer } from './owned-values';

export const hostArguments: ArgumentReader<OnHost> = {
  logits: checkTensor,
  labelsOrTargets: readGiven,
  areTargets: (given) => areTargets(given as Given),
  labels: labelData,
  targets: targetData,
  quality: qualityData,
  gradOutput: elementValues,
  grad: gradientValues,
  rowWeight: rowWeightData,
  mask: maskData,
  classMask: classMaskData,
  overGradOutput: true,
  overlaps,
  isSame: isSameMemory,
  lastLook,
};

/** The caller's own code, of a getter for example, can have taken memory away after it was checked. */
function lastLook({ arrays, gradientsGiven, transfer }: CheckedCall): void {
  const { tensors, columns } = arrays.logits;
  rejectVanished(gradientsGiven ? 'grads' : 'logits', arrays.values, tensors);
  rejectVanished('labels', arrays.labels, tensors, columns);
  rejectVanished('labels', arrays.targets, tensors);
  rejectVanished('quality', arrays.quality, tensors, columns);
  rejectVanished('grad', arrays.grad, tensors);
  rejectVanished('gradOutput', arrays.gradOutput, tensors);
  rejectVanished('rowWeight', arrays.rowWeight, tensors, columns);
  rejectVanished('mask', arrays.mask, tensors);
  if (transfer) checkTransfer(arrays.values, arrays.grad);
}
