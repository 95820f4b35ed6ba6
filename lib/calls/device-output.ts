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

/** What a call on device tensors leaves on the device; reading it waits for the call. */
export class CallReport {
  readonly memory: NativeMemory;
  readonly device: number;
  readonly #describe: { readonly lists: boolean; readonly expectedLabel: string };

  constructor(
    device: number,
    stream: CudaStream | undefined,
    describe: { readonly lists: boolean; readonly expectedLabel: string },
  ) {
    this.device = device;
    const native = stream?.native();
    this.memory = fromNative(() => new (addon().DeviceMemory)(device, reportBytes, native));
    this.#describe = describe;
  }

  /** The loss; its memory is the report's. */
  get loss(): CudaTensor {
    const { memory, device } = this;
    const check = (): void => void this.read();
    return new CudaTensor({ memory, shape: [1], dtype: 'float32', device, check, shared: true });
  }

  /** Not kept: a graph may replay the call. Throws what the call reports. */
  read(): { positives: number; ignored: number; nonFinite: number } {
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

  #decode(bytes: Uint8Array): { positives: number; ignored: number; nonFinite: number } {
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
    return outcomeError(outcome, this.#describe.lists, this.#describe.expectedLabel);
  }
}

/** What a criterion returns for device tensors. Everything but `loss` waits for the call. */
export class DeviceLossOutput {
  readonly loss: CudaTensor;
  readonly grad?: CudaTensor | readonly CudaTensor[];
  readonly elements?: CudaTensor | readonly CudaTensor[];
  readonly #report: CallReport;

  constructor(
    report: CallReport,
    grad: CudaTensor | readonly CudaTensor[] | undefined,
    elements: CudaTensor | readonly CudaTensor[] | undefined,
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
