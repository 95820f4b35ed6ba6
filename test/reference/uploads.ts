/** Arrays of the host as tensors of a device, and back. */
import { CudaTensor } from '../../lib';
import type { HostTensor } from '../../lib';

/** Device tensors in place of all arrays and tensors in a value; what is none stays as it is. */
export function uploaded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(uploaded);
  if (value instanceof Float32Array || value instanceof Int32Array) {
    return CudaTensor.fromHost(value);
  }
  const isTensor = typeof value === 'object' && value !== null && 'data' in value;
  return isTensor ? CudaTensor.fromHost(value as HostTensor) : value;
}
