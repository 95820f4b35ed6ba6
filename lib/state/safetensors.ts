import { isUtf8 } from 'node:buffer';
import { quoted } from './printable';
import { parseStrictJson, type Json } from './strict-json';

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

/** Checks all that a header says by itself; `json` is the header without its length. */
export function parseSafetensorsHeader(json: Uint8Array): SafetensorsHeader {
  const members = new Map(readMembers(json));
  const metadata = readMetadata(members.get(metadataKey));
  members.delete(metadataKey);
  const tensors = new Map<string, TensorEntry>();
  for (const [name, entry] of members) tensors.set(name, readEntry(name, entry));
  return { tensors, metadata, valuesLength: checkCoverage(tensors) };
}

function readMembers(json: Uint8Array): ReadonlyMap<string, Json> {
  if (!isUtf8(json)) throw new Error('the header is not UTF-8');
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString();
  if (!text.startsWith('{')) throw new Error('the header does not begin with a brace');
  try {
    return parseStrictJson(text) as ReadonlyMap<string, Json>;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new Error(`the header is not JSON: ${problem}`, { cause: error });
  }
}

function readMetadata(value: Json | undefined): ReadonlyMap<string, string> {
  if (value === undefined || value === null) return new Map();
  if (!isObject(value) || ![...value.values()].every((text) => typeof text === 'string')) {
    throw new Error('the metadata are not texts');
  }
  return value as ReadonlyMap<string, string>;
}

function readEntry(name: string, value: Json): TensorEntry {
  const [dtype, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((key) =>
    isObject(value) ? value.get(key) : undefined,
  );
  if (typeof dtype !== 'string' || !areCounts(shape) || !areCounts(offsets)) {
    throw new Error(`the entry of ${quoted(name)} is not one of a tensor`);
  }
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length > 2) {
    throw new Error(`the entry of ${quoted(name)} has not two offsets`);
  }
  if (end - begin !== sizeOf(name, dtype, shape)) {
    throw new Error(`the shape of ${quoted(name)} does not fit its ${end - begin} bytes`);
  }
  return { dtype, shape: shape.map(Number), begin: Number(begin), end: Number(end) };
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
  const sorted = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const [name, { begin, end }] of sorted) {
    if (begin !== covered) throw new Error(`the values of ${quoted(name)} are misplaced`);
    covered = end;
  }
  return covered;
}

function isObject(value: Json | undefined): value is ReadonlyMap<string, Json> {
  return value instanceof Map;
}

function areCounts(value: Json | undefined): value is readonly bigint[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'bigint');
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
