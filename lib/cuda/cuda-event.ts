import { checkDevice } from '../backends';
import type { NativeEvent } from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { EflDisposedError } from '../errors';
import { fix, knownOptions, reject } from '../validation';
import { checkStream, type CudaStream } from './cuda-stream';

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
