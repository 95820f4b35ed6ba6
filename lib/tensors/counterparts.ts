import type { PerLevel, Values } from '../binding/addon';
import { EflArgumentError } from '../errors';
import { reject } from '../validation';
import { isList } from './levels';
import type { CheckedLogits } from './logits';
import {
  checkLength,
  checkSameShape,
  checkTensor,
  tensorAsLong,
  type CheckedTensor,
} from './tensor';

/** Checks what goes with one tensor of logits; `argument` is what an error calls it. */
export type CheckOne<T, Data = Values> = (
  argument: string,
  value: unknown,
  tensor: CheckedTensor<Data>,
  logits: CheckedLogits<Data>,
) => T;

/** Checks what goes with the logits: one thing for one tensor, a list of things for a list. */
export function counterpart<T, Data>(
  argument: string,
  value: unknown,
  logits: CheckedLogits<Data>,
  check: CheckOne<T, Data>,
): PerLevel<T> {
  const { tensors } = logits;
  if (!isList(tensors)) return check(argument, value, tensors, logits);
  if (!Array.isArray(value) || value.length !== tensors.length) {
    reject(argument, `a list of ${tensors.length}, one for each level of the logits`, value);
  }
  return tensors.map((tensor, level) =>
    check(`${argument}[${level}]`, value[level], tensor, logits),
  );
}

/** Where the gradient of a level goes: as many values as its logits, of their type. */
export function gradientValues(argument: string, value: unknown, logits: CheckedTensor): Values {
  const tensor = checkTensor(argument, value);
  const { data, dtype } = tensor;
  checkLength(argument, tensor, logits);
  if (dtype !== logits.dtype) {
    throw new EflArgumentError(
      argument,
      `${logits.dtype} values, as the logits`,
      `${dtype} values`,
    );
  }
  checkSameOrder(argument, tensor, logits);
  return data;
}

/** A float32 value for each logit of a level. */
export function elementValues(
  argument: string,
  value: unknown,
  logits: CheckedTensor,
): Float32Array {
  const tensor = tensorAsLong(argument, value, logits);
  checkSameOrder(argument, tensor, logits);
  return tensor.data;
}

/** Flat, or of the shape of the logits: another shape would speak of another order of values. */
export function checkSameOrder(
  argument: string,
  tensor: { readonly shape: readonly number[] | undefined },
  logits: CheckedTensor<unknown>,
): void {
  if (tensor.shape?.length !== 1) checkSameShape(argument, tensor, logits);
}
