import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { crc32c, maskedCrc32c, TensorBoardWriter } from '../src/io/tensorboard.ts';

interface Field {
  number: number;
  value: bigint | Buffer;
}

/** A reader of its own: splits a protocol buffer message into its fields. */
function fields(bytes: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => bytes.subarray(at, (at += length));
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const value = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : Number(varint()));
    found.push({ number: tag >> 3, value });
  }
  return found;
}

const bytesOf = (message: Buffer, number: number): Buffer =>
  fields(message).find((field) => field.number === number)?.value as Buffer;

/** The payloads of a TFRecord file, with every checksum verified. */
function records(file: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    assert.equal(file.readUInt32LE(at + 8), maskedCrc32c(file.subarray(at, at + 8)));
    const payload = file.subarray(at + 12, at + 12 + length);
    assert.equal(file.readUInt32LE(at + 12 + length), maskedCrc32c(payload));
    payloads.push(payload);
    at += length + 16;
  }
  return payloads;
}

test('crc32c of the standard check string', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

test('events can be read back', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tensorboard-'));
  try {
    const writer = new TensorBoardWriter(directory);
    writer.scalar('train/loss', 0.25, 300);
    writer.histogram('gamma_j', Float64Array.from([2, 2, 4, 6]), 300, 2);
    writer.close();
    const [file] = readdirSync(directory);
    assert.match(file, /tfevents/);
    const [version, session, scalar, histogram] = records(readFileSync(join(directory, file)));

    assert.equal(bytesOf(version, 3).toString(), 'brain.Event:2');

    assert.deepEqual(fields(bytesOf(session, 7)), [{ number: 1, value: 1n }], 'session start');

    const value = bytesOf(bytesOf(scalar, 5), 1);
    assert.equal(fields(scalar).find(({ number }) => number === 2)?.value, 300n);
    assert.equal(bytesOf(value, 1).toString(), 'train/loss');
    assert.equal(bytesOf(value, 2).readFloatLE(), 0.25);

    const histo = bytesOf(bytesOf(bytesOf(histogram, 5), 1), 5);
    const doubles = (number: number): number[] => {
      const bytes = bytesOf(histo, number);
      return Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(i * 8));
    };
    // least, most, number, sum, sum of squares, upper limits, counts
    const expected = [[2], [6], [4], [14], [60], [4, 6], [2, 2]];
    assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(doubles), expected);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
