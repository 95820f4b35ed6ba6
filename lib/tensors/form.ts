import type { PerLevel, Values } from '../binding/addon';
import { float16Of } from './float16';
import { isList, levelAt, mapLevels } from './levels';
import { newArrayLike, newFloat32Array } from './new-arrays';
import type { CheckedTensor, DType, HostTensor, HostValues } from './tensor';

/** New memory of the type and length of the tensors, for the addon to fill. */
export function newValues(tensors: PerLevel<CheckedTensor>): PerLevel<Values> {
  return mapLevels(tensors, ({ data }) => newArrayLike(data));
}

/** New memory for a float32 value of each of their elements, likewise. */
export function newElements(tensors: PerLevel<CheckedTensor>): PerLevel<Float32Array> {
  return mapLevels(tensors, ({ length }) => newFloat32Array(length));
}

/** `values` in the form of the tensors; they are of their type, or of the one that is named. */
export function inFormOf(
  tensors: PerLevel<CheckedTensor>,
  values: PerLevel<Values>,
  dtype?: 'float32',
): PerLevel<HostValues | HostTensor> {
  if (!isList(tensors)) return tensorInForm(tensors, values as Values, dtype);
  return tensors.map((tensor, level) => tensorInForm(tensor, levelAt(values, level), dtype));
}

function tensorInForm(
  { shape, dtype: own, asFloat16Array }: CheckedTensor,
  values: Values,
  dtype: DType = own,
): HostValues | HostTensor {
  const isFloat16Array = asFloat16Array && dtype === own;
  const data = isFloat16Array ? float16Of(values as Uint16Array) : values;
  return shape ? { data, shape: [...shape], dtype } : data;
}
