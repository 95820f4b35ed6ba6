/**
 * The safetensors layout as its specification states it: 8 bytes of little-endian header length,
 * a JSON header, then the tensors' bytes without holes.
 */

export interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export interface ParsedFile {
  readonly headerLength: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, TensorEntry>>;
  readonly data: Buffer;
}

const ITEM_BITS: Readonly<Record<string, number>> = {
  ...{ F64: 64, F32: 32, F16: 16, BF16: 16, C64: 64, BOOL: 8 },
  ...{ I64: 64, I32: 32, I16: 16, I8: 8, U64: 64, U32: 32, U16: 16, U8: 8 },
  ...{ F8_E4M3: 8, F8_E5M2: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8 },
  ...{ F6_E2M3: 6, F6_E3M2: 6, F4: 4 },
};

/** Reads a file and refuses whatever the specification refuses. */
export function parseSafetensors(file: Buffer): ParsedFile {
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = file.subarray(8, 8 + headerLength).toString('utf8');
  demand(header.length > 0 && header.startsWith('{'), 'the header starts with a brace');
  const { __metadata__: given, ...tensors } = JSON.parse(header) as Record<string, TensorEntry> & {
    __metadata__?: Record<string, string> | null;
  };
  const metadata = given ?? {};
  for (const [key, value] of Object.entries(metadata)) {
    demand(typeof value === 'string', `metadata ${key} is a string`);
  }
  const data = file.subarray(8 + headerLength);
  const entries = Object.entries(tensors).sort(
    ([, { data_offsets: a }], [, { data_offsets: b }]) => a[0] - b[0] || a[1] - b[1],
  );
  let end = 0;
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of entries) {
    const bits = Object.hasOwn(ITEM_BITS, dtype) ? ITEM_BITS[dtype]! : NaN;
    const bytes = shape.reduce((product, size) => product * size, bits) / 8;
    demand(from === end, `${name} starts where the tensor before it ends`);
    demand(to - from === bytes, `${name} has the bytes of its shape`);
    end = to;
  }
  demand(end === data.length, 'the tensors fill the file');
  return { headerLength, metadata, tensors, data };
}

function demand(holds: boolean, rule: string): void {
  if (!holds) {
    throw new Error(`not a safetensors file: ${rule} does not hold`);
  }
}

/** The numbers of a float64 tensor. */
export function readFloat64(file: ParsedFile, name: string): Float64Array {
  const { dtype, data_offsets: range } = file.tensors[name]!;
  demand(dtype === 'F64', `${name} is F64`);
  return Float64Array.from({ length: (range[1] - range[0]) / 8 }, (_, i) =>
    file.data.readDoubleLE(range[0] + 8 * i),
  );
}

/** Joins a header (an object, or raw text for malformed ones) and data into a file. */
export function encodeSafetensors(header: unknown, data: Buffer): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header), 'utf8');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

/** A file in memory, to be read in parts. */
export function sourceOf(file: Buffer): {
  size: number;
  read(position: number, length: number): Buffer;
} {
  const read = (at: number, length: number): Buffer => file.subarray(at, at + length);
  return { size: file.length, read };
}

export function float64Bytes(values: ArrayLike<number>): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  Array.from(values).forEach((value, i) => bytes.writeDoubleLE(value, 8 * i));
  return bytes;
}

export function float32Bytes(values: ArrayLike<number>): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  Array.from(values).forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  return bytes;
}
