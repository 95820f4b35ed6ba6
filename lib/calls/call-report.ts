import { reportBytes, type NativeMemory } from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { rejectReading } from '../cuda/capture';
import type { CudaStream } from '../cuda/cuda-stream';
import { CudaTensor } from '../cuda/cuda-tensor';
import { downloadAsync } from '../cuda/download';
import { Uint8Array } from '../intrinsics';
import type { DeviceLogits } from './arguments';
import { checkOutcome, outcomeIn, readCounts } from './outcome';
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
    this.memory = fromNative(() => new (addon().DeviceMemory)(device, reportBytes, native));
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
    const bytes = new Uint8Array(reportBytes);
    fromNative(() => {
      this.memory.download(bytes);
    });
    return this.#decode(bytes);
  }

  /** The same, waiting off the event loop. */
  async arrived(): Promise<void> {
    const bytes = new Uint8Array(reportBytes);
    await downloadAsync(this.memory, bytes);
    this.#decode(bytes);
  }

  #decode(bytes: Uint8Array): CollectOutput {
    const outcome = outcomeIn(bytes);
    checkOutcome(outcome, this.#lists, this.#expectedLabel);
    return readCounts(outcome);
  }
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
