/** Calls on this thread, on the arrays of the caller. */
import type { PerLevel, Values } from '../binding/addon';
import { codes } from '../binding/codes';
import { addon } from '../binding/load';
import { inFormOf, newElements, newValues } from '../tensors/form';
import { isList } from '../tensors/levels';
import type { HostTensor, HostValues } from '../tensors/tensor';
import type { Logits } from './arguments';
import { callFailure, writeNumbers } from './call-numbers';
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
  const { rowWeight, mask, classMask } = call.arrays;
  const gradient = call.wantsGradient ? (grad ?? newValues(logits.tensors)) : undefined;
  const elements = call.wantsElements ? newElements(logits.tensors) : undefined;
  const { Criterion, block } = addon();
  writeNumbers(owner, call);
  try {
    // The arguments one by one: an array of them would cost a small call an allocation.
    if (
      elements ||
      gradOutput ||
      quality ||
      targets ||
      geometry ||
      rowWeight ||
      mask ||
      classMask
    ) {
      Criterion.run(
        values,
        labels,
        gradient,
        elements,
        gradOutput,
        quality,
        targets,
        geometry,
        rowWeight,
        mask,
        classMask,
      );
    } else if (gradient) {
      Criterion.run(values, labels, gradient);
    } else {
      Criterion.run(values, labels);
    }
  } catch (error) {
    throw callFailure(error, call.given);
  }
  checkOutcome(block, isList(values), owner.expectedLabel);
  return outputOf(call, block, gradient, elements);
}

export function outputOf(
  { arrays, gradientsGiven }: CheckedCall,
  outcome: Float64Array,
  gradient: PerLevel<Values> | undefined,
  elements: PerLevel<Float32Array> | undefined,
): HostOutput {
  if (gradientsGiven) return readCounts(outcome);
  const { slot } = codes;
  // Written out: spreading objects costs a small call a good part of its time.
  const output: HostOutput = {
    loss: outcome[slot.loss]!,
    positives: outcome[slot.positives]!,
    ignored: outcome[slot.ignored]!,
    nonFinite: outcome[slot.nonFinite]!,
  };
  const { tensors } = arrays.logits;
  if (elements) output.elements = inFormOf(tensors, elements, 'float32');
  if (gradient) output.grad = arrays.gradGiven ?? inFormOf(tensors, gradient);
  return output;
}
