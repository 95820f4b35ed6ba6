import { types } from 'node:util';
import type { NativeGraph } from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { EflDisposedError } from '../errors';
import { fix, reject } from '../validation';
import { duringCapture, rejectWhileCapturing } from './capture';
import { CudaStream, checkStream } from './cuda-stream';

/**
 * Calls that were captured once and are launched again and again, for next to no time of the host.
 * A replay reads what is then in the captured tensors and writes over the captured results; the state
 * of an equalized criterion goes on from where it is.
 */
export class CudaGraph {
  readonly device: number;
  #native: NativeGraph | undefined;

  private constructor(native: NativeGraph, device: number) {
    this.#native = native;
    this.device = device;
    fix(this, 'device');
  }

  /**
   * Captures what `work` puts into `stream`, which must be a stream of its own; nothing of it is
   * computed yet. Make each call once before, so that its memory is there. Results cannot be read
   * within `work`. The graph keeps the memory of all tensors it uses, also of disposed ones.
   *
   * @throws what `work` throws, and {@link EflCudaError} for what cannot be captured.
   */
  static capture(stream: CudaStream, work: () => unknown): CudaGraph {
    if (!(stream instanceof CudaStream)) reject('stream', 'a CudaStream', stream);
    if (typeof work !== 'function') reject('work', 'a function', work);
    rejectWhileCapturing('captures do not nest');
    const native = fromNative(() => new (addon().DeviceGraph)(stream.native()));
    try {
      const done = duringCapture(stream, work);
      // What comes after an await would not be captured.
      if (types.isPromise(done)) reject('work', 'a function that is not asynchronous', work);
    } catch (error) {
      endQuietly(native);
      throw error;
    }
    fromNative(() => {
      native.end();
    });
    return new CudaGraph(native, stream.device);
  }

  /** Puts the captured work into a stream, the default one if none is given. Does not wait. */
  replay(stream?: CudaStream): void {
    if (!this.#native) throw new EflDisposedError('The CudaGraph');
    rejectWhileCapturing('a graph cannot be a part of another one');
    const native = this.#native;
    fromNative(() => {
      native.launch(checkStream(stream, this.device));
    });
  }

  /** Waits for replays under way, and lets go of the memory. */
  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** What failed first is what is to be reported. */
function endQuietly(native: NativeGraph): void {
  try {
    native.end();
  } catch {
    // The capture was broken already.
  }
  native.dispose();
}
