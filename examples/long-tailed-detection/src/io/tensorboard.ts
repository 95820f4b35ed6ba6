/**
 * TensorBoard event files: TFRecord framing with masked crc32c around Event messages in protocol
 * buffer encoding, as far as scalars and histograms need them.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

// Castagnoli polynomial, reflected.
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Checksums are stored masked, because a CRC of data that contains CRCs is weak. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

// Wire types of protocol buffers.
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const key = (field: number, wireType: number): Buffer => varint((field << 3) | wireType);

function message(field: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([key(field, BYTES), varint(body.length), body]);
}

const text = (field: number, value: string): Buffer => message(field, Buffer.from(value));

const integer = (field: number, value: number): Buffer =>
  Buffer.concat([key(field, VARINT), varint(value)]);

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, FIXED32), bytes]);
}

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(field, FIXED64), bytes]);
}

function doubles(field: number, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, i) => bytes.writeDoubleLE(value, i * 8));
  return message(field, bytes);
}

/** The fields of HistogramProto, with equal bins between the least and the largest value. */
function histogramFields(values: Float64Array, bins: number): Buffer[] {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const width = (most - least) / bins || 1;
  const limits = Array.from({ length: bins }, (_, i) => least + width * (i + 1));
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value - least) / width))]++;
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return [
    double(1, least),
    double(2, most),
    double(3, values.length),
    double(4, sum),
    double(5, squares),
    doubles(6, limits),
    doubles(7, counts),
  ];
}

export class TensorBoardWriter {
  private readonly file: number;

  /**
   * A new event file. It tells TensorBoard to forget what older files of the directory say from its
   * first step on: a run that was cut off may have got further than its last checkpoint.
   */
  constructor(directory: string, firstStep = 0) {
    mkdirSync(directory, { recursive: true });
    const seconds = Math.floor(Date.now() / 1000);
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${firstStep}`;
    this.file = openSync(join(directory, name), 'w');
    this.event(text(3, 'brain.Event:2'));
    const sessionStart = integer(1, 1);
    this.event(integer(2, firstStep), message(7, sessionStart));
  }

  scalar(tag: string, value: number, step: number): void {
    this.summary(step, text(1, tag), float(2, value));
  }

  histogram(tag: string, values: Float64Array, step: number, bins = 30): void {
    this.summary(step, text(1, tag), message(5, ...histogramFields(values, bins)));
  }

  close(): void {
    closeSync(this.file);
  }

  private summary(step: number, ...value: Buffer[]): void {
    this.event(integer(2, step), message(5, message(1, ...value)));
  }

  private event(...fields: Buffer[]): void {
    this.record(Buffer.concat([double(1, Date.now() / 1000), ...fields]));
  }

  private record(data: Buffer): void {
    const header = Buffer.alloc(12);
    header.writeBigUInt64LE(BigInt(data.length));
    header.writeUInt32LE(maskedCrc32c(header.subarray(0, 8)), 8);
    const footer = Buffer.alloc(4);
    footer.writeUInt32LE(maskedCrc32c(data));
    writeSync(this.file, Buffer.concat([header, data, footer]));
  }
}
