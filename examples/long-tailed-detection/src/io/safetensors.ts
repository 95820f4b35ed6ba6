/** The safetensors format, as far as this example needs it: float32, float64 and int32 tensors. */
import { readFileSync } from 'node:fs';

import { writeFileAtomically } from './files.ts';

export type TensorData = Float32Array | Float64Array | Int32Array;

export interface StoredTensor {
  readonly data: TensorData;
  readonly shape: readonly number[];
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const ARRAY_OF_DTYPE = { F32: Float32Array, F64: Float64Array, I32: Int32Array };
type StoredDtype = keyof typeof ARRAY_OF_DTYPE;

function dtypeOf(data: TensorData): StoredDtype {
  if (data instanceof Float64Array) return 'F64';
  return data instanceof Int32Array ? 'I32' : 'F32';
}

export function saveTensors(path: string, file: TensorFile): void {
  // Widest elements first keeps every tensor aligned to its element size.
  const entries = [...file.tensors].sort(
    ([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT,
  );
  const header: Record<string, HeaderEntry | Record<string, string>> = {
    __metadata__: { ...file.metadata },
  };
  const chunks: Buffer[] = [];
  let offset = 0;
  for (const [name, { data, shape }] of entries) {
    const end = offset + data.byteLength;
    header[name] = { dtype: dtypeOf(data), shape: [...shape], data_offsets: [offset, end] };
    chunks.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileAtomically(path, Buffer.concat([length, padded, ...chunks]));
}

/** Throws when the file is missing, cut short or holds another element type. */
export function loadTensors(path: string): TensorFile {
  const bytes = readFileSync(path);
  if (bytes.length < 8) throw new Error(`${path} is not a safetensors file`);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  if (headerLength > bytes.length - 8) throw new Error(`${path} is not a safetensors file`);
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<string, unknown>;
  const body = bytes.subarray(8 + headerLength);
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = new Map(
    Object.entries(entries).map(([name, entry]) => [
      name,
      readTensor(path, body, name, entry as HeaderEntry),
    ]),
  );
  return { tensors, metadata: metadata as Record<string, string> };
}

function readTensor(path: string, body: Buffer, name: string, entry: HeaderEntry): StoredTensor {
  const [begin, end] = entry.data_offsets;
  if (!(entry.dtype in ARRAY_OF_DTYPE) || end > body.length) {
    throw new Error(`${path}: tensor ${name} cannot be read`);
  }
  const TypedArray = ARRAY_OF_DTYPE[entry.dtype as StoredDtype];
  // Copied, because a view would need the file's own alignment.
  const copy = Uint8Array.prototype.slice.call(body, begin, end);
  return {
    data: new TypedArray(copy.buffer, 0, copy.byteLength / TypedArray.BYTES_PER_ELEMENT),
    shape: entry.shape,
  };
}
