import { checkDevice } from '../backends';
import type { NativeMemory, NativeStream } from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import { EflArgumentError, EflDisposedError } from '../errors';
import { Float32Array, Int32Array, Uint16Array, Uint8Array } from '../intrinsics';
import { rejectVanished } from '../tensors/memory';
import { withMemory } from '../tensors/spare-memory';
import { listed, type HostTensor } from '../tensors/tensor';
import { choiceOption, fix, knownOptions, reject } from '../validation';
import { rejectCapture, rejectReading } from './capture';
import { checkStream, type CudaStream } from './cuda-stream';
import { downloadAsync } from './download';
import { bfloat16Value, float16Value } from './half-values';
import {
  bytesOf,
  checkKind,
  checkSizes,
  checkSource,
  dtypes,
  sizeOf,
  type CudaDType,
  type HostBytes,
  type HostCopy,
  type HostLabels,
} from './host-source';

export interface CudaTensorOptions {
  /** Default float32. */
  readonly dtype?: CudaDType | undefined;
  /** Number of the device. Default 0. */
  readonly device?: number | undefined;
  /** In whose order memory is taken and filled. Default: the device's default stream. */
  readonly stream?: CudaStream | undefined;
}

export interface FromHostOptions extends CudaTensorOptions {
  /** Of bare values; default: one dimension. */
  readonly shape?: readonly number[] | undefined;
}

export interface CopyOptions {
  /** In whose order the values are copied. Default: the device's default stream. */
  readonly stream?: CudaStream | undefined;
}

export interface WrapOptions {
  /** Address in the memory of the device. */
  readonly pointer: bigint;
  readonly shape: readonly number[];
  readonly dtype?: CudaDType | undefined;
  /** Default: the device whose memory it is. */
  readonly device?: number | undefined;
  /**
   * Whatever frees the memory. Kept alive until the tensor has been let go of and nothing under way,
   * and no graph, uses it any more. It must not lead back to the tensor.
   */
  readonly owner?: unknown;
}

/** Values in host memory that a tensor may have. */
export type HostValuesOfTensor =
  HostTensor | HostLabels | HostBytes | Float32Array | Int32Array | Uint8Array;

interface Contents {
  readonly memory: NativeMemory;
  readonly shape: readonly number[];
  readonly dtype: CudaDType;
  readonly device: number;
  /** Throws what the call that made the tensor reports; waits for it. */
  readonly check?: (() => void) | undefined;
  /** Whether somebody else still reads the memory when the tensor has been disposed of. */
  readonly shared?: boolean;
}

/**
 * A tensor in the memory of a GPU. Its memory goes back to the pool of this package with `dispose`, or
 * with the garbage collection, in the order of the streams it was used in.
 */
export class CudaTensor {
  readonly shape: readonly number[];
  readonly dtype: CudaDType;
  readonly device: number;
  readonly #check: (() => void) | undefined;
  readonly #shared: boolean;
  #memory: NativeMemory | undefined;

  /** @internal */
  constructor({ memory, shape, dtype, device, check, shared = false }: Contents) {
    this.#memory = memory;
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.device = device;
    this.#check = check;
    this.#shared = shared;
    fix(this, 'shape', 'dtype', 'device');
  }

  /** Tells by what only the constructor gives: not by a prototype, which anything may have. */
  static [Symbol.hasInstance](value: unknown): value is CudaTensor {
    return typeof value === 'object' && value !== null && #memory in value;
  }

  /** A copy of values in host memory, which may be changed at once. */
  static fromHost(source: HostValuesOfTensor, options?: FromHostOptions): CudaTensor {
    const names = ['shape', 'dtype', 'device', 'stream'];
    const given = knownOptions<FromHostOptions>('options', options, names);
    const { data, shape, dtype } = checkSource(source, given.shape);
    if (given.dtype !== undefined && given.dtype !== dtype) {
      reject('dtype', `'${dtype}', which the values are`, given.dtype);
    }
    rejectCapture('source', given.stream);
    const tensor = CudaTensor.empty(shape, { ...given, dtype });
    tensor.#upload(data, checkStream(given.stream, tensor.device));
    return tensor;
  }

  /** New memory, with anything in it. */
  static empty(
    shape: readonly number[],
    options?: CudaTensorOptions & { readonly shape?: unknown },
  ): CudaTensor {
    const names = ['shape', 'dtype', 'device', 'stream'];
    const {
      dtype: named,
      device = 0,
      stream,
    } = knownOptions<CudaTensorOptions>('options', options, names);
    const dtype = choiceOption('dtype', named, 'float32', dtypes);
    const sizes = checkSizes('shape', shape, dtype);
    checkDevice('device', device);
    const native = checkStream(stream, device);
    const bytes = sizeOf(sizes) * bytesOf[dtype];
    const memory = fromNative(
      () => new (addon().DeviceMemory)(device, bytes, native),
      `A tensor of ${bytes} bytes on device ${device}`,
    );
    return new CudaTensor({ memory, shape: sizes, dtype, device });
  }

  /**
   * Memory of somebody else, a tensor of another library for example; it is never freed here. As much
   * of it as the shape says is read and written; whether there is so much is not checked.
   */
  static wrap(options: WrapOptions): CudaTensor {
    const names = ['pointer', 'shape', 'dtype', 'device', 'owner'];
    const {
      pointer,
      shape,
      dtype: named,
      device,
      owner,
    } = knownOptions<WrapOptions>('options', options, names);
    if (typeof pointer !== 'bigint' || pointer <= 0n || pointer >= 2n ** 64n) {
      reject('pointer', 'a bigint from 1 to 2^64 - 1', pointer);
    }
    const dtype = choiceOption('dtype', named, 'float32', dtypes);
    const sizes = checkSizes('shape', shape, dtype);
    if (pointer % BigInt(bytesOf[dtype]) !== 0n) {
      reject('pointer', `a multiple of the ${bytesOf[dtype]} bytes of ${dtype}`, pointer);
    }
    checkDevice('device', device ?? 0);
    const found = fromNative(() => addon().deviceOf(pointer));
    if (found < 0 || (device !== undefined && found !== device)) {
      reject(
        'pointer',
        `memory of ${device === undefined ? 'a device' : `device ${device}`}`,
        pointer,
      );
    }
    const bytes = sizeOf(sizes) * bytesOf[dtype];
    const memory = fromNative(() => new (addon().DeviceMemory)(found, bytes, pointer, owner));
    return new CudaTensor({ memory, shape: sizes, dtype, device: found });
  }

  /**
   * Copies values into this tensor's memory, in the order of the stream: those of another tensor of
   * the device, or of host memory, which may be changed at once. Their type and number are those of
   * this tensor; the shape may be another. Returns this tensor. Gives a captured graph new inputs.
   *
   * @throws {@link EflArgumentError} for another type, number, device, or memory that overlaps;
   * {@link EflError} with the code `EFL_CAPTURE` for host memory in a capture, which a replay would
   * read again.
   */
  copyFrom(source: CudaTensor | HostValuesOfTensor, options?: CopyOptions): this {
    this.native('the tensor'); // must be usable; getters may still dispose of it
    const given = knownOptions<CopyOptions>('options', options, ['stream']);
    if (source instanceof CudaTensor) {
      checkKind('source', source, this.dtype, sizeOf(this.shape));
      const from = this.#checkApart(source);
      const bytes = byteLength(this);
      const stream = checkStream(given.stream, this.device);
      const memory = this.native('the tensor');
      fromNative(() => {
        memory.copyFrom(from, bytes, stream);
      });
      return this;
    }
    const values = checkSource(source);
    checkKind('source', values, this.dtype, sizeOf(this.shape));
    rejectCapture('source', given.stream);
    this.#upload(values.data, checkStream(given.stream, this.device));
    return this;
  }

  /** The address in the memory of the device. */
  get pointer(): bigint {
    return this.native('the tensor').pointer;
  }

  /**
   * The values, when what is under way with them is done.
   *
   * @throws what the call that made the tensor reports, {@link EflArgumentError} for a bad label.
   */
  toHost(): HostCopy {
    rejectReading();
    const memory = this.native('the tensor');
    const copy = this.#newCopy();
    fromNative(() => {
      memory.download(copy.data);
    });
    this.#check?.();
    return copy;
  }

  /** {@link toHost} that waits off the event loop. */
  async toHostAsync(): Promise<HostCopy> {
    const memory = this.native('the tensor');
    const copy = this.#newCopy();
    await downloadAsync(memory, copy.data);
    this.#check?.();
    return copy;
  }

  /** The one value of a tensor of one; waits and throws like {@link toHost}. */
  item(): number {
    if (sizeOf(this.shape) !== 1) {
      throw new EflArgumentError('the tensor', 'one value', listed(this.shape));
    }
    const { data, dtype } = this.toHost();
    const value = data[0]!;
    if (dtype === 'bfloat16') return bfloat16Value(value);
    return dtype === 'float16' ? float16Value(value) : value;
  }

  dispose(): void {
    if (!this.#shared) this.#memory?.dispose();
    this.#memory = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  native(argument: string): NativeMemory {
    if (!this.#memory) throw new EflDisposedError(`The CudaTensor (${argument})`);
    return this.#memory;
  }

  /** Fills the memory with the source's values, which are looked at here for the last time. */
  #upload(data: HostCopy['data'], stream: NativeStream | undefined): void {
    rejectVanished('source', data, { length: sizeOf(this.shape) });
    const memory = this.native('the tensor');
    fromNative(() => {
      memory.upload(data, stream);
    });
  }

  #checkApart(source: CudaTensor): NativeMemory {
    const from = source.native('source');
    checkDeviceOf('source', source, this.device);
    if (overlap(this, source)) reject('source', 'memory apart from that of the tensor', source);
    return from;
  }

  #newCopy(): HostCopy {
    const { shape, dtype } = this;
    const length = sizeOf(shape);
    const data = withMemory(() => {
      if (dtype === 'float32') return new Float32Array(length);
      if (dtype === 'uint8') return new Uint8Array(length);
      return dtype === 'int32' ? new Int32Array(length) : new Uint16Array(length);
    }, 'The copy on the host');
    return { data, shape: [...shape], dtype };
  }
}

/** @internal Refuses a tensor of another device. */
export function checkDeviceOf(argument: string, tensor: CudaTensor, device: number, as = ''): void {
  if (tensor.device === device) return;
  const expected = `a tensor of device ${device}${as}`;
  throw new EflArgumentError(argument, expected, `one of device ${tensor.device}`);
}

/** @internal */
export function overlap(a: CudaTensor, b: CudaTensor): boolean {
  const end = (tensor: CudaTensor): bigint => tensor.pointer + BigInt(byteLength(tensor));
  return a.pointer < end(b) && b.pointer < end(a);
}

function byteLength({ shape, dtype }: CudaTensor): number {
  return sizeOf(shape) * bytesOf[dtype];
}
