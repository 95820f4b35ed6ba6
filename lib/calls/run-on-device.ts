import type { NativeMemory, PerLevel } from '../binding/addon';
import { fromNative } from '../binding/native-failure';
import { CudaTensor } from '../cuda/cuda-tensor';
import { isList, levelAt, mapLevels } from '../tensors/levels';
import { newGeometry } from '../tensors/logits';
import type { DeviceLogits } from './arguments';
import { CallReport, DeviceLossOutput } from './call-report';
import { writeNumbers } from './call-numbers';
import type { CallOwner, CheckedCall, OnDevice } from './checked-call';

export interface DeviceRun {
  readonly report: CallReport;
  readonly output: DeviceLossOutput;
}

/** What is made for a call. */
interface Made {
  /** Nobody has the results of a call that fails. */
  readonly results: { dispose(): void }[];
  /** What it reads of the host's. Their memory goes back when the stream has passed the call. */
  readonly uploads: CudaTensor[];
}

/** Puts a call into its stream. */
export function runOnDevice(owner: CallOwner, call: CheckedCall<OnDevice>): DeviceRun {
  const made: Made = { results: [], uploads: [] };
  try {
    return enqueue(owner, call, made);
  } catch (error) {
    for (const memory of made.results) memory.dispose();
    throw error;
  } finally {
    for (const tensor of made.uploads) tensor.dispose();
  }
}

function enqueue(owner: CallOwner, call: CheckedCall<OnDevice>, made: Made): DeviceRun {
  const { arrays, stream } = call;
  const { values, logits, gradGiven } = arrays;
  const { device } = levelAt(values, 0);
  // Looked up when everything is checked: tensors may have been disposed of until then.
  const memories = (argument: string, levels: PerLevel<OneLevel> | undefined) =>
    levels && asList(levels).map((level) => onDevice(level, call, made).native(argument));
  const labels = memories('labels', arrays.labels);
  const quality = memories('quality', arrays.quality);
  const rowWeight = memories('rowWeight', arrays.rowWeight);
  const mask = memories('mask', arrays.mask);
  const classMask = memories('classMask', arrays.classMask)?.[0];
  const report = new CallReport(device, stream, isList(values), owner.expectedLabel);
  made.results.push(report.memory);
  const gradient = call.wantsGradient ? (arrays.grad ?? newResults(call, report, made)) : undefined;
  const elements = call.wantsElements ? newResults(call, report, made, 'float32') : undefined;
  const native = owner.native();
  fromNative(() => {
    const given = [
      memories('logits', values)!,
      labels,
      memories('grad', gradient),
      memories('elements', elements),
      memories('gradOutput', arrays.gradOutput),
      quality,
      memories('labels', arrays.targets),
      arrays.geometry ?? newGeometry('logits', logits),
      rowWeight,
      mask,
      classMask,
    ] as const;
    const normalizer = memoryOf('normalizer', call.normalizer);
    const upstream = memoryOf('gradOutput', call.upstream);
    writeNumbers(owner, call);
    native.runOnDevice(...given, device, report.memory, stream?.native(), normalizer, upstream);
  });
  const grad = gradGiven as DeviceLogits | undefined;
  return { report, output: new DeviceLossOutput(report, grad ?? gradient, elements) };
}

type OneLevel = CudaTensor | Int32Array | Float32Array | Uint8Array;

function asList<T>(levels: PerLevel<T>): readonly T[] {
  return isList(levels) ? levels : [levels];
}

function onDevice(level: OneLevel, { arrays, stream }: CheckedCall<OnDevice>, made: Made) {
  if (level instanceof CudaTensor) return level;
  const { device } = levelAt(arrays.values, 0);
  const upload = CudaTensor.fromHost(level, { device, stream });
  made.uploads.push(upload);
  return upload;
}

/** Like the logits, but perhaps for the type. */
function newResults(
  { arrays, stream }: CheckedCall<OnDevice>,
  { check }: CallReport,
  { results }: Made,
  type?: 'float32',
): DeviceLogits {
  return mapLevels(arrays.values, ({ shape, dtype: own, device }) => {
    const dtype = type ?? own;
    const memory = CudaTensor.empty(shape, { dtype, device, stream }).native('result');
    results.push(memory);
    return new CudaTensor({ memory, shape, dtype, device, check });
  });
}

/** Of a number that is on the device. Looked up when everything is checked, as others are. */
function memoryOf(argument: string, value: number | string | CudaTensor): NativeMemory | undefined {
  return typeof value === 'object' ? value.native(argument) : undefined;
}
