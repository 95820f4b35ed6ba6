/** Calls on this thread, on the arrays of the caller. */
import { callSlot, outcomeSlot, type PerLevel, type Values } from '../binding/addon';
import { addon } from '../binding/load';
import { nativeFailure } from '../binding/native-failure';
import { inFormOf, newElements, newValues } from '../tensors/form';
import { isList } from '../tensors/levels';
import type { HostTensor, HostValues } from '../tensors/tensor';
import type { Logits } from './arguments';
import type { CallOwner, CheckedCall } from './checked-call';
import { checkOutcome, readCounts } from './outcome';
import type { CollectOutput } from './results';

type InForm = PerLevel<HostValues | HostTensor>;

/** What a call returns. The types of gradient and elements follow from those of the logits. */
export interface HostOutput extends CollectOutput {
  loss?: number;
  elements?: InForm;
  grad?: InForm | Logits;
}

export function runOnHost(owner: CallOwner, call: CheckedCall): HostOutput {
  const { values, labels, gradOutput, quality, targets, geometry, grad, logits } = call.arrays;
  const gradient = call.wantsGradient ? (grad ?? newValues(logits.tensors)) : undefined;
  const elements = call.wantsElements ? newElements(logits.tensors) : undefined;
  const { Criterion, numbers } = addon();
  writeNumbers(numbers, owner, call);
  try {
    // The arguments one by one: an array of them would cost a small call an allocation.
    if (call.gradientsGiven) {
      const rows = labels!;
      if (geometry) Criterion.runCollect(values, rows, geometry);
      else Criterion.runCollect(values, rows);
    } else if (elements || gradOutput || quality || targets || geometry) {
      Criterion.run(values, labels, gradient, elements, gradOutput, quality, targets, geometry);
    } else if (gradient) {
      Criterion.run(values, labels, gradient);
    } else {
      Criterion.run(values, labels);
    }
  } catch (error) {
    throw nativeFailure(error);
  }
  checkOutcome(numbers, isList(values), owner.expectedLabel);
  return outputOf(call, numbers, gradient, elements);
}

/** The addon reads them when the call is made. */
export function writeNumbers(numbers: Float64Array, owner: CallOwner, call: CheckedCall): void {
  const upstream = call.upstream as number;
  numbers[callSlot.criterion] = owner.native().number;
  numbers[callSlot.normalizer] = call.normalizer as number;
  numbers[callSlot.upstream] = upstream;
  numbers[callSlot.lossScale] = call.lossScale;
  numbers[callSlot.collect] = call.collect ? 1 : 0;
  if (call.gradientsGiven) numbers[callSlot.scale] = upstream;
}

export function outputOf(
  { arrays, gradientsGiven }: CheckedCall,
  outcome: Float64Array,
  gradient: PerLevel<Values> | undefined,
  elements: PerLevel<Float32Array> | undefined,
): HostOutput {
  if (gradientsGiven) return readCounts(outcome);
  // Written out: spreading objects costs a small call a good part of its time.
  const output: HostOutput = {
    loss: outcome[outcomeSlot.loss]!,
    positives: outcome[outcomeSlot.positives]!,
    ignored: outcome[outcomeSlot.ignored]!,
    nonFinite: outcome[outcomeSlot.nonFinite]!,
  };
  const { tensors } = arrays.logits;
  if (elements) output.elements = inFormOf(tensors, elements, 'float32');
  if (gradient) output.grad = arrays.gradGiven ?? inFormOf(tensors, gradient);
  return output;
}
