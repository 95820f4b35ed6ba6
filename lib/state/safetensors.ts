import { isUtf8 } from 'node:buffer';
import { quoted } from './printable';
import { JsonReader } from './strict-json';

/**
 * The safetensors format: 8 bytes with the length of the header, the header as JSON, the values.
 * What the format's text or its reference implementation refuses is refused. The npm package of that
 * name is a placeholder, hence these few lines. Nothing here touches a file.
 */

export interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its values begin and end, in bytes from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

/** Bytes to read parts of: a file, or what is in memory. */
export interface Source {
  readonly size: number;
  read(position: number, length: number): Uint8Array;
}

export interface SafetensorsFile extends SafetensorsHeader {
  /** The values of a vector of float64 or float32; undefined where it has none of that name. */
  readonly readVector: (name: string) => Float64Array | undefined;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes of values that follow the header. */
  readonly valuesLength: number;
}

/** Bytes before the header, which hold its length. */
const prefixLength = 8;

/** As in the reference implementation. */
const mostHeaderBytes = 100_000_000n;
const mostSize = 2n ** 64n - 1n;
/** Dimensions of a tensor: as many as NumPy and PyTorch have. */
const mostSizes = 64;
const metadataKey = '__metadata__';

/** Bits of a value of each type there is. */
const bitsPerValue: ReadonlyMap<string, bigint> = new Map(
  Object.entries({
    ...{ BOOL: 8n, U8: 8n, I8: 8n, U16: 16n, I16: 16n, U32: 32n, I32: 32n, U64: 64n, I64: 64n },
    ...{ F64: 64n, F32: 32n, F16: 16n, BF16: 16n, C64: 64n, F4: 4n, F6_E2M3: 6n, F6_E3M2: 6n },
    ...{ F8_E4M3: 8n, F8_E5M2: 8n, F8_E8M0: 8n, F8_E4M3FNUZ: 8n, F8_E5M2FNUZ: 8n },
  }),
);

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
  const file = Buffer.alloc(prefixLength + headerLength + offset, ' ');
  file.writeBigUInt64LE(BigInt(headerLength));
  file.write(json, prefixLength);
  let at = prefixLength + headerLength;
  for (const values of Object.values(tensors)) {
    for (const value of values) at = file.writeDoubleLE(value, at);
  }
  return file;
}

/**
 * Reads the header and, when asked, single vectors: whatever else is in the file is not read. This and
 * what follows throw an Error whose message says what is wrong with the file.
 */
export function readSafetensors(source: Source): SafetensorsFile {
  const prefix = source.read(0, Math.min(prefixLength, source.size));
  const valuesAt = prefixLength + readHeaderLength(prefix, source.size);
  const header = parseSafetensorsHeader(source.read(prefixLength, valuesAt - prefixLength));
  if (header.valuesLength !== source.size - valuesAt) {
    const found = source.size - valuesAt;
    throw new Error(`${found} bytes of values in place of ${header.valuesLength}`);
  }
  return {
    ...header,
    readVector: (name) => {
      const entry = header.tensors.get(name);
      if (!entry || !isFloatVector(entry)) return undefined;
      return decodeVector(entry, source.read(valuesAt + entry.begin, entry.end - entry.begin));
    },
  };
}

function readHeaderLength(prefix: Uint8Array, fileSize: number): number {
  const length = prefix.length < prefixLength ? mostSize : Buffer.from(prefix).readBigUInt64LE();
  if (length > BigInt(fileSize - prefixLength)) {
    throw new Error(foreignFormat(prefix) ?? cutOff(fileSize));
  }
  if (length > mostHeaderBytes) throw new Error(`a header of ${length} bytes`);
  return Number(length);
}

/** What else people hand in, by its first bytes, which no length has. */
function foreignFormat(prefix: Uint8Array): string | undefined {
  const text = Buffer.from(prefix).toString('latin1');
  if (/^\s*[[{][^\0]*$/.test(text)) return 'a JSON file, not a safetensors file';
  const isZip = text.startsWith('PK\x03\x04') && !text.endsWith('\0\0\0\0');
  return isZip ? 'a zip archive as PyTorch writes, not a safetensors file' : undefined;
}

function cutOff(fileSize: number): string {
  return fileSize < prefixLength ? `only ${fileSize} bytes long` : 'the header is cut off';
}

/**
 * Checks all that a header says by itself; `json` is the header without its length. It is read once
 * and refused at the first value that is not of its kind: a file from anywhere takes no more memory
 * than a small multiple of its header.
 */
export function parseSafetensorsHeader(json: Uint8Array): SafetensorsHeader {
  if (!isUtf8(json)) throw new Error('the header is not UTF-8');
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString();
  if (!text.startsWith('{')) throw new Error('the header does not begin with a brace');
  const reader = new JsonReader(text);
  const tensors = new Map<string, TensorEntry>();
  let metadata: ReadonlyMap<string, string> | undefined;
  reader.object(
    (name) => {
      if (name === metadataKey) metadata = readMetadata(reader);
      else tensors.set(name, readEntry(reader, name));
    },
    (name) => (name === metadataKey ? metadata !== undefined : tensors.has(name)),
  );
  reader.end();
  return { tensors, metadata: metadata ?? new Map(), valuesLength: checkCoverage(tensors) };
}

function readMetadata(reader: JsonReader): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  const notTexts = new Error('the metadata are not texts');
  if (reader.next === 'n') {
    reader.scalar(); // null
    return metadata;
  }
  if (reader.next !== '{') throw notTexts;
  reader.object(
    (key) => {
      if (reader.next !== '"') throw notTexts;
      metadata.set(key, reader.string());
    },
    (key) => metadata.has(key),
  );
  return metadata;
}

function readEntry(reader: JsonReader, name: string): TensorEntry {
  if (reader.next !== '{') rejectEntry(name);
  let dtype: string | undefined;
  let shape: readonly bigint[] | undefined;
  let offsets: readonly bigint[] | undefined;
  reader.object((key) => {
    if (key === 'dtype') dtype = reader.next === '"' ? reader.string() : rejectEntry(name);
    else if (key === 'shape') shape = readCounts(reader, name, mostSizes, 'too many sizes');
    else if (key === 'data_offsets') offsets = readCounts(reader, name, 2, 'not two offsets');
    else reader.skip();
  });
  if (dtype === undefined || shape === undefined || offsets === undefined) rejectEntry(name);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined) rejectEntry(name, 'not two offsets');
  const size = sizeOf(name, dtype, shape);
  if (end - begin !== size) {
    throw new Error(`the shape of ${quoted(name)} does not fit its ${end - begin} bytes`);
  }
  return { dtype, shape: shape.map(Number), begin: Number(begin), end: Number(end) };
}

/** A list of at most so many integers. */
function readCounts(reader: JsonReader, name: string, most: number, tooMany: string): bigint[] {
  if (reader.next !== '[') rejectEntry(name);
  const counts: bigint[] = [];
  reader.list(() => {
    if (counts.length === most) rejectEntry(name, tooMany);
    if (/[{["]/.test(reader.next)) rejectEntry(name);
    const count = reader.scalar();
    if (typeof count !== 'bigint') rejectEntry(name);
    counts.push(count);
  });
  return counts;
}

function rejectEntry(name: string, problem?: string): never {
  const entry = `the entry of ${quoted(name)}`;
  throw new Error(problem ? `${entry} has ${problem}` : `${entry} is not one of a tensor`);
}

/** Bytes of a tensor. */
function sizeOf(name: string, dtype: string, shape: readonly bigint[]): bigint {
  const bits = bitsPerValue.get(dtype);
  if (bits === undefined)
    throw new Error(`the type of ${quoted(name)}, ${quoted(dtype)}, is unknown`);
  // Step by step, as the reference does: what leaves the range on the way to 0 is refused.
  const total = [...shape, bits].reduce((product, size) => within(product * size), 1n);
  if (total % 8n !== 0n) throw new Error(`${quoted(name)} ends within a byte`);
  return total / 8n;
}

function within(size: bigint): bigint {
  if (size > mostSize) throw new Error('a shape beyond any size');
  return size;
}

/** The format allows neither holes nor overlaps; a file with either has been cut or mended. */
function checkCoverage(tensors: ReadonlyMap<string, TensorEntry>): number {
  const sorted = [...tensors.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const entry of sorted) {
    if (entry.begin !== covered) {
      const [name] = [...tensors].find(([, found]) => found === entry)!;
      throw new Error(`the values of ${quoted(name)} are misplaced`);
    }
    covered = entry.end;
  }
  return covered;
}

const bytesPerFloat: Readonly<Record<string, number>> = { F64: 8, F32: 4 };

/** Whether these are the values of a vector that `readVector` reads. */
export function isFloatVector({ dtype, shape }: TensorEntry): boolean {
  return shape.length === 1 && dtype in bytesPerFloat;
}

function decodeVector({ dtype }: TensorEntry, values: Uint8Array): Float64Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const size = bytesPerFloat[dtype]!;
  return Float64Array.from({ length: bytes.length / size }, (_, index) =>
    size === 8 ? bytes.readDoubleLE(index * 8) : bytes.readFloatLE(index * 4),
  );
}
