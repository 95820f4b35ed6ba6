import type { PerLevel, Values } from '../binding/addon';
import { float16Of } from './float16';
import { isList, mapLevels } from './levels';
import { newArrayLike, newFloat32Array } from './new-arrays';
import type { CheckedTensor, HostTensor, HostValues } from './tensor';

/** New memory of the type and length of the tensors, for the addon to fill. */
export function newValues(tensors: PerLevel<CheckedTensor>): PerLevel<Values> {
  return mapLevels(tensors, ({ data }) => newArrayLike(data));
}

/** New memory for a float32 value of each of their elements, likewise. */
export function newElements(tensors: PerLevel<CheckedTensor>): PerLevel<Float32Array> {
  return mapLevels(tensors, ({ length }) => newFloat32Array(length));
}

/** `values`, of the type of the tensors, in their form. */
export function inFormOf(
  tensors: PerLevel<CheckedTensor>,
  values: PerLevel<Values>,
): PerLevel<HostValues | HostTensor> {
  if (!isList(tensors)) return tensorInForm(tensors, values as Values);
  return tensors.map((tensor, level) =>
    tensorInForm(tensor, (values as readonly Values[])[level]!),
  );
}

function tensorInForm(
  { shape, dtype, asFloat16Array }: CheckedTensor,
  values: Values,
): HostValues | HostTensor {
  const data = asFloat16Array ? float16Of(values as Uint16Array) : values;
  return shape ? { data, shape: [...shape], dtype } : data;
}

/** Float32 `values` in the form of the tensors, but for their type. */
export function elementsInFormOf(
  tensors: PerLevel<CheckedTensor>,
  values: PerLevel<Float32Array>,
): PerLevel<Float32Array | HostTensor<Float32Array>> {
  if (!isList(tensors)) return elementsInForm(tensors, values as Float32Array);
  return tensors.map((tensor, level) =>
    elementsInForm(tensor, (values as readonly Float32Array[])[level]!),
  );
}

function elementsInForm(
  { shape }: CheckedTensor,
  data: Float32Array,
): Float32Array | HostTensor<Float32Array> {
  return shape ? { data, shape: [...shape], dtype: 'float32' } : data;
}
