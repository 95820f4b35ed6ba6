/** The memory of tensors, as far as the addon can read and write it without a copy. */
import { types } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';

/** Values of a tensor. Views of the wasm heap are detached when it grows: by the next allocation. */
export type TensorValues = Float32Array | Int32Array | Uint8Array;

/** What is used of the wasm backend. */
interface WasmBackend {
  readonly dataIdMap: { get(dataId: object): unknown };
  makeOutput(shape: readonly number[], dtype: 'float32'): tf.TensorInfo;
  typedArrayFromHeap(tensor: tf.TensorInfo): TensorValues;
}

/** Backends whose memory is that of the process: what they compute, the addon may. */
export const hostBackends: readonly string[] = ['cpu', 'wasm', 'tensorflow'];

/**
 * The values of tensors, to read: those of the cpu and wasm backends in their place, a copy of those
 * of tensorflow.
 */
export function valuesOf(tensors: readonly tf.Tensor[]): TensorValues[] {
  if (tf.getBackend() !== 'wasm') return tensors.map(hostValues);
  const backend = tf.backend() as unknown as WasmBackend;
  // The data of a tensor that was made on another backend moves here now, which may grow the heap.
  for (const { dataId } of tensors) backend.dataIdMap.get(dataId);
  return tensors.map((tensor) => backend.typedArrayFromHeap(tensor));
}

/** The cpu backend casts integers to float32 in name only: their array stays what it was. */
function hostValues(tensor: tf.Tensor): TensorValues {
  const values = tensor.dataSync();
  if (tensor.dtype === 'float32') {
    return types.isFloat32Array(values) ? values : new Float32Array(values);
  }
  return tensor.dtype !== 'int32' || types.isInt32Array(values) ? values : new Int32Array(values);
}

/** A new float32 tensor of this shape, whose values `compute` writes from those of `inputs`. */
export function computeTensor(
  shape: readonly number[],
  inputs: readonly tf.Tensor[],
  compute: (output: Float32Array, values: readonly TensorValues[]) => void,
): tf.Tensor {
  if (tf.getBackend() === 'wasm') return computeInHeap(shape, inputs, compute);
  const output = new Float32Array(shape.reduce((product, dimension) => product * dimension, 1));
  compute(output, valuesOf(inputs));
  // The tensor takes the array over.
  return tf.tensor(output, [...shape]);
}

function computeInHeap(
  shape: readonly number[],
  inputs: readonly tf.Tensor[],
  compute: (output: Float32Array, values: readonly TensorValues[]) => void,
): tf.Tensor {
  const backend = tf.backend() as unknown as WasmBackend;
  // Memory first, views second.
  const result = tf.engine().makeTensorFromTensorInfo(backend.makeOutput([...shape], 'float32'));
  try {
    const values = valuesOf(inputs);
    compute(backend.typedArrayFromHeap(result) as Float32Array, values);
    return result;
  } catch (error) {
    result.dispose();
    throw error;
  }
}
