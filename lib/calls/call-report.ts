import {
  outcomeSlot,
  outcomeSlots,
  reportBytes,
  reportOffset,
  status,
  type NativeMemory,
} from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { outcomeError } from './outcome';
import { EflArgumentError, EflError } from '../errors';
import { Uint8Array } from '../intrinsics';
import { rejectReading } from '../cuda/capture';
import { CudaTensor } from '../cuda/cuda-tensor';
import { downloadAsync } from '../cuda/download';
import type { CudaStream } from '../cuda/cuda-stream';
import type { DeviceLogits } from './arguments';
import type { CallOwner } from './checked-call';
import type { CollectOutput } from './results';

/** What a call on device tensors leaves on the device; reading it waits for the call. */
export class CallReport {
  readonly memory: NativeMemory;
  readonly device: number;
  readonly #lists: boolean;
  readonly #owner: CallOwner;

  /** `lists` says whether the logits came in a list. */
  constructor(device: number, stream: CudaStream | undefined, lists: boolean, owner: CallOwner) {
    this.device = device;
    const native = stream?.native();
    this.memory = fromNative(() => new (addon().DeviceMemory)(device, reportBytes, native));
    this.#lists = lists;
    this.#owner = owner;
  }

  /** The loss; its memory is the report's. */
  get loss(): CudaTensor {
    const { memory, device } = this;
    const check = (): void => void this.read();
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
    const view = new DataView(bytes.buffer);
    const count = (offset: number): number => Number(view.getBigInt64(offset, true));
    const code = view.getInt32(reportOffset.status, true);
    if (code !== status.ok) throw this.#error(code, view, count);
    return {
      positives: count(reportOffset.positives),
      ignored: count(reportOffset.ignored),
      nonFinite: count(reportOffset.nonFinite),
    };
  }

  #error(code: number, view: DataView, count: (offset: number) => number): Error {
    const badValue = view.getFloat64(reportOffset.badValue, true);
    if (code === status.notComputed) {
      return new EflError(
        'EFL_CAPTURE',
        'the call was captured, and no graph has been replayed yet',
      );
    }
    if (code === status.badNormalizer) {
      return new EflArgumentError('normalizer', 'a finite number > 0', String(badValue));
    }
    const outcome = new Float64Array(outcomeSlots);
    outcome[outcomeSlot.status] = code;
    outcome[outcomeSlot.badLevel] = count(reportOffset.badLevel);
    outcome[outcomeSlot.badIndex] = count(reportOffset.badIndex);
    outcome[outcomeSlot.badValue] = badValue;
    return outcomeError(outcome, this.#lists, this.#owner.expectedLabel());
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
