import type { Tensor } from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import { EflArgumentError } from '../../errors';
import type { HostTensor } from '../../tensors/tensor';
import { listed } from '../../tensors/tensor';
import { reject } from '../../validation';
import type { TensorValues } from './tensor-memory';

/** `'labels'`: one integer for each row. `'targets'`: a value for each logit. */
export type LabelForm = 'labels' | 'targets';

/** Checks what the tensors say of themselves; values are checked by the addon. */
export function checkTensors(criterion: Criterion, labels: Tensor, logits: Tensor): LabelForm {
  checkTensor('logits', logits);
  if (logits.dtype !== 'float32') {
    throw new EflArgumentError('logits', 'a float32 tensor', `a tensor of ${logits.dtype}`);
  }
  const { columns } = criterion.definition;
  if (logits.shape.at(-1) !== columns) {
    throw new EflArgumentError('logits.shape', `.. x ${columns} classes`, listed(logits.shape));
  }
  checkTensor('labels', labels);
  const form = formOf(labels, logits);
  if (form === 'labels' && labels.dtype !== 'int32') {
    const expected = 'an int32 tensor where there is one label for each row';
    throw new EflArgumentError('labels', expected, `a tensor of ${labels.dtype}`);
  }
  if (!['float32', 'int32', 'bool'].includes(labels.dtype)) {
    throw new EflArgumentError('labels', 'a float32 tensor', `a tensor of ${labels.dtype}`);
  }
  if (form === 'labels' && criterion.definition.takesQuality) {
    reject('labels', 'qualities of the shape of the logits', form);
  }
  return form;
}

function checkTensor(argument: string, value: unknown): void {
  const isTensor =
    typeof value === 'object' && value !== null && 'dataId' in value && 'dtype' in value;
  if (!isTensor) reject(argument, 'a tensor of TensorFlow.js', value);
}

function formOf(labels: Tensor, { shape }: Tensor): LabelForm {
  const given = listed(labels.shape);
  if (given === listed(shape)) return 'targets';
  const rows = shape.slice(0, -1);
  // With one class [N, 1] is the shape of the logits, above.
  if (given === listed(rows) || given === listed([...rows, 1])) return 'labels';
  const expected = `the shape of the logits, ${listed(shape)}, or that of their rows, ${listed(rows)}`;
  throw new EflArgumentError('labels.shape', expected, given);
}

/** Values and shape as the criteria take them. */
export function hostTensor(values: TensorValues, shape: readonly number[]): HostTensor {
  return { data: values as Float32Array, shape };
}
