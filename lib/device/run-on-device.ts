import type { NativeCriterion, NativeMemory } from '../binding/addon';
import { onDevice } from '../binding/devices';
import { CudaTensor } from './cuda-tensor';
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
  native: NativeCriterion,
  call: CheckedDeviceCall,
  wanted: Wanted,
): { report: CallReport; output: DeviceLossOutput } {
  const { device, list, tensors, cudaStream } = call;
  const { expectedLabel } = wanted;
  const report = new CallReport(device, cudaStream, { lists: list, expectedLabel });
  const check = (): void => void report.read();
  const newTensors = (dtype?: 'float32'): DeviceLogits => {
    const made = tensors.map((like) => newLike(like, dtype, call, check));
    return list ? made : made[0]!;
  };
  const gradient = wanted.gradient ? (call.gradGiven ?? newTensors()) : undefined;
  const elements = wanted.elements ? newTensors('float32') : undefined;
  onDevice(() => {
    native.runOnDevice(
      device,
      memoriesOf(tensors)!,
      call.labels,
      memoriesOf(gradient),
      memoriesOf(elements),
      call.gradOutput,
      call.quality,
      call.targets,
      call.geometry,
      call.normalizer,
      call.upstream,
      call.lossScale,
      call.collect,
      report.memory,
      call.stream,
      wanted.gradientsGiven ?? false,
    );
  });
  // Their memory goes back when the stream has passed the call.
  for (const tensor of call.uploaded) tensor.dispose();
  return { report, output: new DeviceLossOutput(report, gradient, elements) };
}

function newLike(
  { shape, dtype: own }: CudaTensor,
  dtype: 'float32' | undefined,
  { device, cudaStream }: CheckedDeviceCall,
  check: () => void,
): CudaTensor {
  const kind = dtype ?? own;
  const made = CudaTensor.empty(shape, { dtype: kind, device, stream: cudaStream });
  const memory = made.native('result');
  return new CudaTensor({ memory, shape, dtype: kind, device, check });
}

function memoriesOf(tensors: DeviceLogits | undefined): readonly NativeMemory[] | undefined {
  if (tensors === undefined) return undefined;
  const list: readonly CudaTensor[] = tensors instanceof CudaTensor ? [tensors] : tensors;
  return list.map((tensor) => tensor.native('a tensor of the call'));
}
