/**
 * The safetensors format, for float vectors: 8 bytes with the length of the header, the header as
 * JSON, the values. The npm package of that name is a placeholder, hence these few lines.
 */

export interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export interface SafetensorsFile {
  /** The vectors of float64 or float32 in the file. */
  readonly tensors: ReadonlyMap<string, Float64Array>;
  readonly metadata: Readonly<Record<string, string>>;
}

const lengthBytes = 8;
const metadataKey = '__metadata__';

export function encodeSafetensors(
  tensors: Readonly<Record<string, Float64Array>>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = { [metadataKey]: metadata };
  let offset = 0;
  for (const [name, { length, byteLength }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F64', shape: [length], data_offsets: [offset, offset + byteLength] };
    offset += byteLength;
  }
  // Padded with spaces so that the values are aligned, as the format recommends.
  const json = JSON.stringify(header);
  const headerLength = Math.ceil(Buffer.byteLength(json) / 8) * 8;
  const file = Buffer.alloc(lengthBytes + headerLength + offset, ' ');
  file.writeBigUInt64LE(BigInt(headerLength));
  file.write(json, lengthBytes);
  let at = lengthBytes + headerLength;
  for (const values of Object.values(tensors)) {
    for (const value of values) at = file.writeDoubleLE(value, at);
  }
  return file;
}

/** Throws an Error whose message says what is wrong with the file. */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(file);
  const metadata = readMetadata(header.entries.get(metadataKey));
  header.entries.delete(metadataKey);
  const entries = [...header.entries].map(([name, entry]) => checkEntry(name, entry));
  checkCoverage(entries, header.values.length);
  const tensors = new Map<string, Float64Array>();
  for (const { name, entry } of entries) {
    const vector = readVector(entry, header.values);
    if (vector) tensors.set(name, vector);
  }
  return { tensors, metadata };
}

function readHeader(file: Buffer): { entries: Map<string, unknown>; values: Buffer } {
  if (file.length < lengthBytes) throw new Error(`only ${file.length} bytes long`);
  const length = file.readBigUInt64LE();
  if (length > BigInt(file.length - lengthBytes)) throw new Error('the header is cut off');
  const end = lengthBytes + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(file.toString('utf8', lengthBytes, end));
  } catch {
    throw new Error('the header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new Error('the header is not an object');
  }
  return { entries: new Map(Object.entries(header)), values: file.subarray(end) };
}

function readMetadata(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || !Object.values(value).every((text) => typeof text === 'string')) {
    throw new Error('the metadata are not texts');
  }
  return value as Readonly<Record<string, string>>;
}

function checkEntry(name: string, value: unknown): { name: string; entry: TensorEntry } {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<TensorEntry>;
  const valid =
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.every(isCount) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isCount);
  if (!valid) throw new Error(`the entry of ${name} is not one of a tensor`);
  return { name, entry: { dtype, shape, data_offsets: offsets } };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The format allows neither holes nor overlaps; a file with either has been cut or mended. */
function checkCoverage(entries: { name: string; entry: TensorEntry }[], length: number): void {
  const sorted = [...entries].sort((a, b) => a.entry.data_offsets[0] - b.entry.data_offsets[0]);
  let covered = 0;
  for (const { name, entry } of sorted) {
    const [begin, end] = entry.data_offsets;
    if (begin !== covered || end < begin) throw new Error(`the values of ${name} are misplaced`);
    covered = end;
  }
  if (covered !== length) {
    throw new Error(`${length} bytes of values in place of ${covered}`);
  }
}

const bytesPerValue: Readonly<Record<string, number>> = { F64: 8, F32: 4 };

/** The values of a float vector; undefined for tensors of other kinds, which are not for us. */
function readVector(
  { dtype, shape, data_offsets }: TensorEntry,
  values: Buffer,
): Float64Array | undefined {
  const [begin, end] = data_offsets;
  const size = bytesPerValue[dtype];
  const [length] = shape;
  if (size === undefined || length === undefined || shape.length !== 1) return undefined;
  if (length * size !== end - begin) throw new Error('a shape does not fit its values');
  return Float64Array.from({ length }, (_, index) =>
    size === 8 ? values.readDoubleLE(begin + index * 8) : values.readFloatLE(begin + index * 4),
  );
}
