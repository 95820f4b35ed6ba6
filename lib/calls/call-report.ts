import type { NativeMemory } from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { rejectReading } from '../cuda/capture';
import type { CudaStream } from '../cuda/cuda-stream';
import { CudaTensor } from '../cuda/cuda-tensor';
import { downloadAsync } from '../cuda/download';
import { Float64Array, Uint8Array } from '../intrinsics';
import type { DeviceLogits } from './arguments';
import { checkOutcome, readCounts } from './outcome';
import type { CollectOutput } from './results';

/** What a call on device tensors leaves on the device; reading it waits for the call. */
export class CallReport {
  readonly memory: NativeMemory;
  readonly device: number;
  /** Throws what the call reports; waits for it. */
  readonly check = (): void => void this.read();
  readonly #lists: boolean;
  // All that is kept of the criterion, which may be gone before its results.
  readonly #expectedLabel: () => string;

  /** `lists` says whether the logits came in a list. */
  constructor(
    device: number,
    stream: CudaStream | undefined,
    lists: boolean,
    expectedLabel: () => string,
  ) {
    this.device = device;
    const native = stream?.native();
    const { bytes } = addon().codes.deviceReport;
    this.memory = fromNative(() => new (addon().DeviceMemory)(device, bytes, native));
    this.#lists = lists;
    this.#expectedLabel = expectedLabel;
  }

  /** The loss; its memory is the report's. */
  get loss(): CudaTensor {
    const { memory, device, check } = this;
    return new CudaTensor({ memory, shape: [1], dtype: 'float32', device, check, shared: true });
  }

  /** Not kept: a graph may replay the call. Throws what the call reports. */
  read(): CollectOutput {
    rejectReading();
    const { all, report } = newCopy();
    fromNative(() => {
      this.memory.download(all);
    });
    return this.#counts(report);
  }

  /** The same, waiting off the event loop. */
  async arrived(): Promise<void> {
    const { all, report } = newCopy();
    await downloadAsync(this.memory, all);
    this.#counts(report);
  }

  #counts(report: Float64Array): CollectOutput {
    checkOutcome(report, this.#lists, this.#expectedLabel);
    return readCounts(report);
  }
}

/** Memory for what is on the device: the loss as a float32, and the report. */
function newCopy(): { readonly all: Uint8Array; readonly report: Float64Array } {
  const { deviceReport, reportSlots } = addon().codes;
  const all = new Uint8Array(deviceReport.bytes);
  return { all, report: new Float64Array(all.buffer, deviceReport.report, reportSlots) };
}

/** What a criterion returns for device tensors. Everything but `loss` waits for the call. */
export class DeviceLossOutput {
  readonly loss: CudaTensor;
  readonly grad?: DeviceLogits;
  readonly elements?: DeviceLogits;
  readonly #report: CallReport;

  constructor(
    report: CallReport,
    grad: DeviceLogits | undefined,
    elements: DeviceLogits | undefined,
  ) {
    this.#report = report;
    this.loss = report.loss;
    if (grad) this.grad = grad;
    if (elements) this.elements = elements;
  }

  get positives(): number {
    return this.#report.read().positives;
  }

  get ignored(): number {
    return this.#report.read().ignored;
  }

  get nonFinite(): number {
    return this.#report.read().nonFinite;
  }
}
