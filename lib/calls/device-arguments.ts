import { checkStream, type CudaStream } from '../cuda/cuda-stream';
import { CudaTensor, checkDeviceOf, overlap } from '../cuda/cuda-tensor';
import { checkKind, sizeOf, type CudaDType } from '../cuda/host-source';
import { EflArgumentError } from '../errors';
import { kindOf } from '../intrinsics';
import { checkSameOrder, type CheckOne } from '../tensors/counterparts';
import { Given, readGiven } from '../tensors/foreign';
import { labelData } from '../tensors/labels';
import { levelAt } from '../tensors/levels';
import { checkRowShape, describeRows, maxLevels, rowsOf, valuesOf } from '../tensors/logits';
import { classMaskData, maskData } from '../tensors/masks';
import { qualityData, rowWeightData } from '../tensors/quality';
import type { CheckedTensor, DType } from '../tensors/tensor';
import { reject } from '../validation';
import type { ArgumentReader } from './argument-reader';
import type { DeviceLogits } from './arguments';
import type { OnDevice } from './checked-call';

export function areOnDevice(logits: unknown): logits is DeviceLogits {
  const first: unknown = Array.isArray(logits) ? logits[0] : logits;
  // Asked first, which is quick: most logits are a typed array.
  return kindOf(first) === undefined && first instanceof CudaTensor;
}

export const deviceArguments: ArgumentReader<OnDevice> = {
  logits: logitsTensor,
  labelsOrTargets: (argument, value) =>
    value instanceof CudaTensor ? value : readGiven(argument, value),
  areTargets: (given) => given instanceof CudaTensor && isFloating(given),
  labels: rows('int32', 'labels', labelData),
  quality: rows('float32', 'values', qualityData),
  targets: (argument, value, tensor) => float32AsLogits(argument, givenOf(value), tensor),
  gradOutput: float32AsLogits,
  grad: (argument, value, tensor) => asLogits(argument, value, tensor, tensor.dtype),
  rowWeight: rows('float32', 'values', rowWeightData),
  mask: (argument, value, tensor) =>
    value instanceof CudaTensor
      ? asLogits(argument, value, tensor, 'uint8')
      : maskData(argument, value, tensor),
  classMask(argument, value, classes, logits) {
    if (!(value instanceof CudaTensor)) return classMaskData(argument, value, classes);
    const { device } = levelAt(valuesOf(logits), 0);
    const expected = `${classes} values, one for each class`;
    return tensorOn(device, argument, value, 'uint8', classes, expected);
  },
  overGradOutput: false,
  overlaps: (a, b) => a instanceof CudaTensor && b instanceof CudaTensor && overlap(a, b),
  isSame: (a, b) => (a as CudaTensor).pointer === (b as CudaTensor).pointer,
  scalar(argument, value, logits) {
    const like = levelAt(valuesOf(logits), 0);
    return tensorOn(like.device, argument, value, 'float32', 1, 'one value');
  },
  stream(stream, logits) {
    checkStream(stream, levelAt(valuesOf(logits), 0).device);
    return stream as CudaStream | undefined;
  },
};

function isFloating({ dtype }: CudaTensor): boolean {
  return dtype !== 'int32' && dtype !== 'uint8';
}

/** What the caller gave, where it has been read for labels already. */
function givenOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && Given.is(value) ? value.value : value;
}

function logitsTensor(
  argument: string,
  value: unknown,
  first?: CheckedTensor<CudaTensor>,
): CheckedTensor<CudaTensor> {
  if (!(value instanceof CudaTensor)) {
    const expected = first
      ? 'a CudaTensor, as at the first level'
      : `a CudaTensor, or a list of 1 to ${maxLevels} of them`;
    reject(argument, expected, value);
  }
  value.native(argument);
  const { shape, dtype } = value;
  if (first) checkDeviceOf(argument, value, first.data.device);
  else if (!isFloating(value)) {
    throw new EflArgumentError(`${argument}.dtype`, 'float32, float16 or bfloat16', dtype);
  }
  // That of another level is compared with the first one's.
  const known = dtype as DType;
  return { data: value, length: sizeOf(shape), shape, dtype: known, asFloat16Array: false };
}

/** A tensor of this device and type, with so many values. */
function tensorOn(
  device: number,
  argument: string,
  value: unknown,
  dtype: CudaDType,
  length: number,
  what: string,
): CudaTensor {
  if (!(value instanceof CudaTensor)) reject(argument, 'a CudaTensor', value);
  value.native(argument);
  checkDeviceOf(argument, value, device, ', as the logits');
  checkKind(argument, value, dtype, length, what);
  return value;
}

/** One value for each logit, flat or in the shape of the logits. */
function asLogits(
  argument: string,
  value: unknown,
  logits: CheckedTensor<CudaTensor>,
  dtype: CudaDType,
): CudaTensor {
  const { length, data } = logits;
  const what = `${length} values, as many as the logits`;
  const tensor = tensorOn(data.device, argument, value, dtype, length, what);
  checkSameOrder(argument, tensor, logits);
  return tensor;
}

function float32AsLogits(
  argument: string,
  value: unknown,
  logits: CheckedTensor<CudaTensor>,
): CudaTensor {
  return asLogits(argument, value, logits, 'float32');
}

/** One value for each row, on the device or, checked by `fromHost`, on the host. */
function rows<T>(
  dtype: CudaDType,
  what: string,
  fromHost: CheckOne<T, unknown>,
): CheckOne<CudaTensor | T, CudaTensor> {
  return (argument, value, tensor, logits) => {
    if (!(value instanceof CudaTensor)) return fromHost(argument, value, tensor, logits);
    const expected = describeRows(tensor, logits, what);
    const { device } = tensor.data;
    const found = tensorOn(device, argument, value, dtype, rowsOf(tensor, logits), expected);
    checkRowShape(argument, found.shape, tensor, logits);
    return found;
  };
}
