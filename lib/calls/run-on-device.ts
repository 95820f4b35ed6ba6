import type { NativeCriterion, NativeMemory } from '../binding/addon';
import { fromNative } from '../binding/native-failure';
import { CudaTensor } from '../cuda/cuda-tensor';
import type { CheckedDeviceCall, DeviceLogits } from './device-call';
import { CallReport, DeviceLossOutput } from './device-output';

interface Wanted {
  readonly gradient: boolean;
  readonly elements: boolean;
  /** The logits are gradients, of which only the statistics are wanted. */
  readonly gradientsGiven?: boolean;
  readonly expectedLabel: string;
}

/** Puts a call into its stream. */
export function runOnDevice(
  nativeOf: () => NativeCriterion,
  call: CheckedDeviceCall,
  wanted: Wanted,
): { report: CallReport; output: DeviceLossOutput } {
  const { device, list, tensors, stream } = call;
  const { expectedLabel } = wanted;
  const made: { dispose(): void }[] = [];
  try {
    const report = new CallReport(device, stream, { lists: list, expectedLabel });
    made.push(report.memory);
    const check = (): void => void report.read();
    const newTensors = (dtype?: 'float32'): DeviceLogits => {
      const results = tensors.map((like) => {
        const result = newLike(like, dtype, call, check);
        made.push(result);
        return result;
      });
      return list ? results : results[0]!;
    };
    const gradient = wanted.gradient ? (call.grad ?? newTensors()) : undefined;
    const elements = wanted.elements ? newTensors('float32') : undefined;
    enqueue(nativeOf(), call, {
      report,
      gradient,
      elements,
      gradientsGiven: wanted.gradientsGiven,
    });
    return { report, output: new DeviceLossOutput(report, call.gradGiven ?? gradient, elements) };
  } catch (error) {
    // Nobody has the results of a call that failed.
    for (const memory of made) memory.dispose();
    throw error;
  } finally {
    // Their memory goes back when the stream has passed the call.
    for (const tensor of call.uploaded) tensor.dispose();
  }
}

interface Results {
  readonly report: CallReport;
  readonly gradient: DeviceLogits | undefined;
  readonly elements: DeviceLogits | undefined;
  readonly gradientsGiven: boolean | undefined;
}

function enqueue(
  native: NativeCriterion,
  call: CheckedDeviceCall,
  { report, gradient, elements, gradientsGiven = false }: Results,
): void {
  fromNative(() => {
    native.runOnDevice(
      call.device,
      memoriesOf('logits', call.tensors)!,
      memoriesOf('labels', call.labels),
      memoriesOf('grad', gradient),
      memoriesOf('elements', elements),
      memoriesOf('gradOutput', call.gradOutput),
      memoriesOf('quality', call.quality),
      memoriesOf('labels', call.targets),
      call.geometry,
      memoryOrNumber('normalizer', call.normalizer),
      memoryOrNumber('gradOutput', call.upstream),
      call.lossScale,
      call.collect,
      report.memory,
      call.stream?.native(),
      gradientsGiven,
    );
  });
}

function newLike(
  { shape, dtype: own }: CudaTensor,
  dtype: 'float32' | undefined,
  { device, stream }: CheckedDeviceCall,
  check: () => void,
): CudaTensor {
  const kind = dtype ?? own;
  const made = CudaTensor.empty(shape, { dtype: kind, device, stream });
  const memory = made.native('result');
  return new CudaTensor({ memory, shape, dtype: kind, device, check });
}

/** Looked up when everything is checked: tensors may have been disposed of until then. */
function memoriesOf(
  argument: string,
  tensors: DeviceLogits | undefined,
): readonly NativeMemory[] | undefined {
  if (tensors === undefined) return undefined;
  const list: readonly CudaTensor[] = tensors instanceof CudaTensor ? [tensors] : tensors;
  return list.map((tensor) => tensor.native(argument));
}

function memoryOrNumber(argument: string, value: number | CudaTensor): number | NativeMemory {
  return typeof value === 'number' ? value : value.native(argument);
}
