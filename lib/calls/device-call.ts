/** Calls on device tensors, checked and in the addon's terms. */
import { checkReady } from '../binding/executor';
import type { AsyncCall, BackwardCall, CollectCall, GradientCall } from './call-options';
import {
  checkLossScale,
  checkNormalizer,
  checkScale,
  checkSignal,
  checkUpstream,
} from './call-scalars';
import type { CallRules } from './check-call';
import { EflArgumentError } from '../errors';
import { kindOf } from '../intrinsics';
import { counterpart, type CheckOne } from '../tensors/counterparts';
import { labelData } from '../tensors/labels';
import { isList } from '../tensors/levels';
import { checkFormat, formatNames, type FormatOptions } from '../tensors/layout';
import {
  checkRowShape,
  describeRows,
  hasShape,
  maxLevels,
  newGeometry,
  rowsOf,
  shapeError,
  type CheckedLogits,
} from '../tensors/logits';
import { qualityData } from '../tensors/quality';
import { listed, type CheckedTensor } from '../tensors/tensor';
import { booleanOption, knownOptions, listOf, reject } from '../validation';
import { CudaTensor, overlap } from '../cuda/cuda-tensor';
import { sizeOf, type CudaDType } from '../cuda/host-source';
import { checkStream, type CudaStream } from '../cuda/cuda-stream';

/** Logits on a device: one tensor, or one for each level. */
export type DeviceLogits = CudaTensor | readonly CudaTensor[];

export interface CheckedDeviceCall {
  readonly device: number;
  readonly tensors: readonly CudaTensor[];
  /** Whether they came as a list. */
  readonly list: boolean;
  readonly geometry: Int32Array;
  readonly labels: readonly CudaTensor[] | undefined;
  readonly targets: readonly CudaTensor[] | undefined;
  readonly quality: readonly CudaTensor[] | undefined;
  /** The object the caller gave for the gradient, and its tensors. */
  readonly gradGiven: DeviceLogits | undefined;
  readonly grad: readonly CudaTensor[] | undefined;
  readonly gradOutput: readonly CudaTensor[] | undefined;
  readonly normalizer: number | CudaTensor;
  readonly upstream: number | CudaTensor;
  readonly lossScale: number;
  readonly collect: boolean;
  readonly stream: CudaStream | undefined;
  /** Tensors of this call alone, made from what came from the host. */
  readonly uploaded: readonly CudaTensor[];
}

export function areOnDevice(logits: unknown): logits is DeviceLogits {
  const first: unknown = Array.isArray(logits) ? logits[0] : logits;
  // Asked first, which is quick: most logits are a typed array.
  return kindOf(first) === undefined && first instanceof CudaTensor;
}

type Described = CheckedTensor<undefined>;
type DescribedLogits = CheckedLogits<undefined>;

const forwardNames = ['normalizer', 'quality', 'stream', ...formatNames];
const backwardNames = [...forwardNames, 'gradOutput', 'lossScale', 'collect', 'grad'];
// Device tensors are not copied: there is nothing to hand over.
const asynchronousNames = ['signal', 'transfer'];
const collectNames = ['lossScale', 'stream', ...formatNames];

type AnyCall = BackwardCall & GradientCall<DeviceLogits> & AsyncCall;

/** What the arguments of a call are looked at with. */
class DeviceArguments {
  readonly uploaded: CudaTensor[] = [];
  readonly logits: DescribedLogits;
  readonly tensors: readonly CudaTensor[];
  readonly list: boolean;
  readonly device: number;
  readonly stream: CudaStream | undefined;

  constructor(
    logits: DescribedLogits,
    tensors: readonly CudaTensor[],
    list: boolean,
    stream: CudaStream | undefined,
  ) {
    this.logits = logits;
    this.tensors = tensors;
    this.list = list;
    this.device = tensors[0]!.device;
    this.stream = stream;
  }

  /** One of these for each level. */
  perLevel(
    argument: string,
    value: unknown,
    check: (name: string, value: unknown, tensor: Described) => CudaTensor,
  ): readonly CudaTensor[] {
    const found = counterpart(argument, value, this.logits, check);
    return isList(found) ? found : [found];
  }

  /** A device tensor of this device and type, with so many values. */
  tensor(
    argument: string,
    value: unknown,
    dtype: CudaDType,
    length: number,
    what: string,
  ): CudaTensor {
    if (!(value instanceof CudaTensor)) reject(argument, 'a CudaTensor', value);
    value.native(argument);
    if (value.device !== this.device) {
      throw new EflArgumentError(
        argument,
        `a tensor of device ${this.device}, as the logits`,
        `one of device ${value.device}`,
      );
    }
    if (value.dtype !== dtype)
      throw new EflArgumentError(argument, `${dtype} values`, `${value.dtype} values`);
    if (sizeOf(value.shape) !== length) {
      throw new EflArgumentError(argument, what, `${sizeOf(value.shape)} values`);
    }
    return value;
  }

  /** Flat, or of the shape of the logits. */
  asLogits(argument: string, value: unknown, dtype: CudaDType, tensor: Described): CudaTensor {
    const { length } = tensor;
    const found = this.tensor(
      argument,
      value,
      dtype,
      length,
      `${length} values, as many as the logits`,
    );
    if (found.shape.length !== 1 && listed(found.shape) !== listed(tensor.shape!)) {
      const expected = `the shape of the logits, ${listed(tensor.shape!)}`;
      throw new EflArgumentError(`${argument}.shape`, expected, listed(found.shape));
    }
    return found;
  }

  /** Runs a check; where it throws, nobody has what was uploaded before. */
  orGiveBack<T>(check: () => T): T {
    try {
      return check();
    } catch (error) {
      for (const tensor of this.uploaded) tensor.dispose();
      throw error;
    }
  }

  /** What came from the host, on the device for this call. */
  upload(values: Int32Array | Float32Array): CudaTensor {
    const { device, stream } = this;
    const tensor = CudaTensor.fromHost(values, { device, stream });
    this.uploaded.push(tensor);
    return tensor;
  }

  /** One value for each row, on the device or, checked by `fromHost`, on the host. */
  rows(
    argument: string,
    value: unknown,
    dtype: CudaDType,
    what: string,
    fromHost: CheckOne<Int32Array | Float32Array, undefined>,
  ): readonly CudaTensor[] {
    return this.perLevel(argument, value, (name, one, tensor) => {
      if (!(one instanceof CudaTensor)) {
        return this.upload(fromHost(name, one, tensor, this.logits));
      }
      const expected = describeRows(tensor, this.logits, what);
      const found = this.tensor(name, one, dtype, rowsOf(tensor, this.logits), expected);
      checkRowShape(name, found.shape, tensor, this.logits);
      return found;
    });
  }
}

function describeLogits(
  argument: string,
  logits: DeviceLogits,
  call: FormatOptions & { readonly stream?: CudaStream | undefined },
  rules: CallRules,
): DeviceArguments {
  const format = checkFormat(call);
  const list = Array.isArray(logits);
  const tensors = (listOf(logits, maxLevels) ?? [logits]) as readonly CudaTensor[];
  if (!(tensors[0] instanceof CudaTensor)) {
    reject(argument, `a CudaTensor, or a list of 1 to ${maxLevels} of them`, logits);
  }
  const { device, dtype } = tensors[0];
  const described = tensors.map((tensor, level): Described => {
    const name = list ? `${argument}[${level}]` : argument;
    if (!(tensor instanceof CudaTensor))
      reject(name, 'a CudaTensor, as at the first level', tensor);
    tensor.native(name);
    if (tensor.device !== device) {
      throw new EflArgumentError(
        name,
        `a tensor of device ${device}`,
        `one of device ${tensor.device}`,
      );
    }
    if (tensor.dtype !== dtype || tensor.dtype === 'int32') {
      const expected =
        level > 0 && dtype !== 'int32'
          ? `${dtype}, as at the first level`
          : 'float32, float16 or bfloat16';
      throw new EflArgumentError(`${name}.dtype`, expected, tensor.dtype);
    }
    if (!hasShape(tensor.shape, format, rules)) {
      throw shapeError(name, tensor.shape, format, rules);
    }
    const { shape, dtype: own } = tensor;
    return { data: undefined, length: sizeOf(shape), shape, dtype: own, asFloat16Array: false };
  });
  checkStream(call.stream, device);
  const checked = { tensors: list ? described : described[0]!, format, columns: rules.columns };
  return new DeviceArguments(checked, tensors, list, call.stream);
}

export function checkDeviceCall(
  logits: DeviceLogits,
  labels: unknown,
  call: object | undefined,
  rules: CallRules,
  { backward, asynchronous }: { backward: boolean; asynchronous: boolean },
): CheckedDeviceCall {
  const names = [
    ...(backward ? backwardNames : forwardNames),
    ...(asynchronous ? asynchronousNames : []),
  ];
  const given = knownOptions<AnyCall>('call', call, names);
  const signal = checkSignal(given.signal);
  if (asynchronous) checkReady(signal);
  const found = describeLogits('logits', logits, given, rules);
  const read = readLists(found, { ...given, labels });
  return found.orGiveBack(() => checkArguments(found, read, rules));
}

type ReadCall = Partial<Omit<AnyCall, 'grad'>> & {
  readonly labels: unknown;
  readonly grad?: unknown;
  readonly gradGiven?: DeviceLogits | undefined;
};

/** Lists are gone through more than once: copies of them, each of whose elements is read once. */
function readLists(
  { list, tensors }: DeviceArguments,
  given: Partial<AnyCall> & { readonly labels: unknown },
): ReadCall {
  const read = <T>(value: T): T =>
    list ? ((listOf(value, tensors.length) as T | undefined) ?? value) : value;
  const { labels, quality, gradOutput, grad } = given;
  return {
    ...given,
    labels: read(labels),
    quality: read(quality),
    gradOutput: read(gradOutput),
    grad: read(grad),
    gradGiven: grad,
  };
}

function checkArguments(
  found: DeviceArguments,
  given: ReadCall,
  rules: CallRules,
): CheckedDeviceCall {
  const { reduction, lossWeight } = rules.options;
  const { labels } = given;
  const first: unknown = Array.isArray(labels) && found.list ? labels[0] : labels;
  const dense = first instanceof CudaTensor && first.dtype !== 'int32';
  const upstream = upstreamOf(given.gradOutput, found, reduction);
  const normalizer = normalizerOf(given.normalizer, found, reduction);
  const lossScale = checkLossScale(given.lossScale);
  checkScale(
    lossWeight,
    typeof upstream.scalar === 'number' ? upstream.scalar : 1,
    lossScale,
    typeof normalizer === 'number' ? normalizer : 1,
  );
  const grad = given.grad === undefined ? undefined : gradOf(given.grad, found);
  if (grad) {
    const { quality, gradOutput, normalizer: divisor } = given;
    checkApart(given.grad, { labels, quality, gradOutput, normalizer: divisor });
  }
  return {
    ...common(found, given.stream),
    labels: dense ? undefined : labelsOf(labels, found),
    targets: dense ? targetsOf(labels, found) : undefined,
    quality: qualityOf(given.quality, found, rules.takesQuality && !dense),
    gradGiven: given.gradGiven,
    grad,
    gradOutput: upstream.perElement,
    normalizer,
    upstream: upstream.scalar,
    lossScale,
    collect: booleanOption('collect', given.collect, true),
    uploaded: found.uploaded,
  };
}

/** Gradients for their statistics; `upstream` is what they are multiplied with. */
export function checkDeviceCollect(
  gradients: DeviceLogits,
  labels: unknown,
  call: object | undefined,
  rules: CallRules,
  asynchronous: boolean,
): CheckedDeviceCall {
  const names = [...collectNames, ...(asynchronous ? asynchronousNames : [])];
  const given = knownOptions<CollectCall & AsyncCall>('call', call, names);
  const signal = checkSignal(given.signal);
  if (asynchronous) checkReady(signal);
  const found = describeLogits('grads', gradients, given, rules);
  return found.orGiveBack(() => ({
    ...common(found, given.stream),
    grad: undefined,
    labels: labelsOf(labels, found),
    targets: undefined,
    quality: undefined,
    gradGiven: undefined,
    gradOutput: undefined,
    normalizer: 1,
    upstream: 1 / Math.abs(checkLossScale(given.lossScale)),
    lossScale: 1,
    collect: true,
    uploaded: found.uploaded,
  }));
}

function common(found: DeviceArguments, stream: CudaStream | undefined) {
  const { device, tensors, list, logits } = found;
  const levels = (list ? logits.tensors : [logits.tensors]) as readonly Described[];
  return {
    device,
    tensors,
    list,
    geometry: newGeometry('logits', levels, logits),
    stream,
  };
}

function labelsOf(labels: unknown, found: DeviceArguments): readonly CudaTensor[] {
  return found.rows('labels', labels, 'int32', 'labels', labelData);
}

function targetsOf(targets: unknown, found: DeviceArguments): readonly CudaTensor[] {
  return found.perLevel('labels', targets, (name, one, tensor) =>
    found.asLogits(name, one, 'float32', tensor),
  );
}

function qualityOf(
  quality: unknown,
  found: DeviceArguments,
  needed: boolean,
): readonly CudaTensor[] | undefined {
  if (!needed) {
    if (quality !== undefined) {
      reject('quality', 'none, but with labels in a call of a quality loss', quality);
    }
    return undefined;
  }
  return found.rows('quality', quality, 'float32', 'values', qualityData);
}

function upstreamOf(
  gradOutput: unknown,
  found: DeviceArguments,
  reduction: 'sum' | 'mean' | 'none',
): { scalar: number | CudaTensor; perElement: readonly CudaTensor[] | undefined } {
  if (typeof gradOutput !== 'object' || gradOutput === null) {
    return { scalar: checkUpstream(gradOutput, reduction), perElement: undefined };
  }
  if (reduction === 'none') {
    const perElement = found.perLevel('gradOutput', gradOutput, (name, one, tensor) =>
      found.asLogits(name, one, 'float32', tensor),
    );
    return { scalar: 1, perElement };
  }
  const scalar = found.tensor('gradOutput', gradOutput, 'float32', 1, 'one value');
  return { scalar, perElement: undefined };
}

function normalizerOf(
  normalizer: unknown,
  found: DeviceArguments,
  reduction: 'sum' | 'mean' | 'none',
): number | CudaTensor {
  if (!(normalizer instanceof CudaTensor)) return checkNormalizer(normalizer, reduction);
  if (reduction !== 'sum') reject('normalizer', `none with reduction '${reduction}'`, normalizer);
  return found.tensor('normalizer', normalizer, 'float32', 1, 'one value');
}

/** Of the type and length of the logits; the logits themselves, or apart from them. */
function gradOf(grad: unknown, found: DeviceArguments): readonly CudaTensor[] {
  const grads = found.perLevel('grad', grad, (name, one, tensor) =>
    found.asLogits(name, one, tensor.dtype, tensor),
  );
  grads.forEach((one, level) => {
    found.tensors.forEach((logits, other) => {
      const same = level === other && one.pointer === logits.pointer;
      if (same || !overlap(one, logits)) return;
      const name = found.list ? `[${other}]` : '';
      reject(found.list ? `grad[${level}]` : 'grad', `memory apart from logits${name}`, one);
    });
    grads.slice(0, level).forEach((earlier, other) => {
      if (overlap(one, earlier)) reject(`grad[${level}]`, `memory apart from grad[${other}]`, one);
    });
  });
  return grads;
}

/** What is still read while the gradient is written. */
function checkApart(grad: unknown, inputs: Readonly<Record<string, unknown>>): void {
  const read = Object.entries(inputs).flatMap(([name, value]) => tensorsIn(name, value));
  for (const [name, one] of tensorsIn('grad', grad)) {
    for (const [other, input] of read) {
      if (overlap(one, input)) reject(name, `memory apart from ${other}`, one);
    }
  }
}

/** The device tensors of an argument, which may be one of them or a list, with their names. */
function tensorsIn(argument: string, value: unknown): (readonly [string, CudaTensor])[] {
  if (value instanceof CudaTensor) return [[argument, value]];
  if (!Array.isArray(value)) return [];
  const levels: readonly unknown[] = value;
  return levels.flatMap((one, level) =>
    one instanceof CudaTensor ? [[`${argument}[${level}]`, one] as const] : [],
  );
}
