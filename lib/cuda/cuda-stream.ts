import { checkDevice } from '../backends';
import type { NativeEvent, NativeStream } from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { EflDisposedError } from '../errors';
import { fix, knownOptions, reject } from '../validation';

export interface WrapStreamOptions {
  /** Its address, a `cudaStream_t`. */
  readonly handle: bigint;
  /** The device it belongs to. Default 0. */
  readonly device?: number | undefined;
}

function checkHandle(handle: unknown): asserts handle is bigint {
  if (typeof handle === 'bigint' && handle > 0n && handle < 2n ** 64n) return;
  reject('handle', 'a bigint from 1 to 2^64 - 1; the default stream is that of no stream', handle);
}

/**
 * An order in which a device does its work; work of different streams may overlap. Without one, calls
 * go to the device's default stream.
 *
 * Tensors of this package may be used in any stream: what is still under way with them elsewhere is
 * waited for, on the device.
 */
export class CudaStream {
  readonly device: number;
  #native: NativeStream | undefined;

  /** A new stream of a device, `{ device: 0 }` by default. */
  constructor(options?: { readonly device?: number });
  /** @internal */
  constructor(options: { readonly device: number; readonly handle: bigint });
  constructor(options?: { readonly device?: number; readonly handle?: bigint }) {
    const { device = 0, handle } = knownOptions<{
      readonly device?: number;
      readonly handle?: bigint;
    }>('options', options, ['device', 'handle']);
    checkDevice('device', device);
    if (handle !== undefined) checkHandle(handle);
    this.device = device;
    fix(this, 'device');
    this.#native = fromNative(() => new (addon().DeviceStream)(device, handle), 'The stream');
  }

  /** Tells by what only the constructor gives: not by a prototype, which anything may have. */
  static [Symbol.hasInstance](value: unknown): value is CudaStream {
    return typeof value === 'object' && value !== null && #native in value;
  }

  /**
   * A stream of somebody else, a `cudaStream_t` of another library for example. It is never destroyed
   * here. It has to live until this object, and the tensors that were made in the stream, have been
   * disposed of. That it is a stream of this device is not checked: the runtime has no way to ask.
   *
   * @throws {@link EflArgumentError} where `handle` is no bigint from 1 to 2^64 - 1.
   */
  static wrap(options: WrapStreamOptions): CudaStream {
    const { handle, device = 0 } = knownOptions<WrapStreamOptions>('options', options, [
      'handle',
      'device',
    ]);
    checkHandle(handle);
    return new CudaStream({ device, handle });
  }

  /** The stream as another library takes it, a `cudaStream_t`. Valid until `dispose`. */
  get handle(): bigint {
    return this.native().handle;
  }

  /** Waits on this thread until everything put into the stream so far is done. */
  synchronize(): void {
    const native = this.native();
    fromNative(() => {
      native.synchronize();
    });
  }

  /** What is put into the stream from now on waits, on the device, for the event. */
  wait(event: CudaEvent): void {
    if (!(event instanceof CudaEvent) || event.device !== this.device)
      reject('event', `one of device ${this.device}`, event);
    fromNative(() => {
      this.native().wait(event.native());
    });
  }

  /**
   * Destroys the stream when its work is done and nothing of it is used any more; one that is wrapped
   * is left to its owner.
   */
  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  native(): NativeStream {
    if (!this.#native) throw new EflDisposedError('The CudaStream');
    return this.#native;
  }
}

/** A point in the work of a stream, to wait for or to take the time at. */
export class CudaEvent {
  readonly device: number;
  #native: NativeEvent | undefined;

  /** A new event of a device, `{ device: 0 }` by default. */
  constructor(options?: { readonly device?: number }) {
    const { device = 0 } = knownOptions<{ readonly device?: number }>('options', options, [
      'device',
    ]);
    checkDevice('device', device);
    this.device = device;
    fix(this, 'device');
    this.#native = fromNative(() => new (addon().DeviceEvent)(device), 'The event');
  }

  /** Tells by what only the constructor gives: not by a prototype, which anything may have. */
  static [Symbol.hasInstance](value: unknown): value is CudaEvent {
    return typeof value === 'object' && value !== null && #native in value;
  }

  /** Marks the present end of a stream, or of the default one. */
  record(stream?: CudaStream): void {
    fromNative(() => {
      this.native().record(checkStream(stream, this.device));
    });
  }

  /** Whether the work before the event is done; also where it was never recorded. */
  get done(): boolean {
    return fromNative(() => this.native().isDone());
  }

  /** Waits on this thread until the work before the event is done. */
  synchronize(): void {
    fromNative(() => {
      this.native().synchronize();
    });
  }

  /** Milliseconds from another event to this one; both must be done. */
  elapsedSince(start: CudaEvent): number {
    if (!(start instanceof CudaEvent) || start.device !== this.device)
      reject('start', `an event of device ${this.device}`, start);
    return fromNative(() => this.native().elapsedSince(start.native()));
  }

  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  native(): NativeEvent {
    if (!this.#native) throw new EflDisposedError('The CudaEvent');
    return this.#native;
  }
}

/** @internal The stream of an option, which has to be of this device. */
export function checkStream(stream: unknown, device: number): NativeStream | undefined {
  if (stream === undefined) return undefined;
  if (!(stream instanceof CudaStream) || stream.device !== device) {
    reject('stream', `a CudaStream of device ${device}`, stream);
  }
  return stream.native();
}
