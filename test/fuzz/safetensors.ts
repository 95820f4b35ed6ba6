/**
 * The reader of safetensors files, given any bytes: it reads what the strict reference reads, in the
 * same way, or throws an Error that says what is wrong. It reads nothing beyond the end of the file
 * and no more of it than the header and the vectors it is asked for; and what it has read it reads
 * again from a file with the same in it.
 *
 * The first byte of an input says what the others are: a whole file, or a header, to which the length
 * and as many values as it speaks of are added. Few bytes would get past the length otherwise.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EflArgumentError, EqualizedFocalLoss } from '../../lib';
import { readSafetensors, type SafetensorsFile } from '../../lib/state/safetensors';
import { encodeSafetensors, parseSafetensors, type ParsedFile } from '../reference/safetensors';

/** Values that are added to a header, at most. */
const mostValues = 1 << 16;
/** Messages are for people to read. */
const longestMessage = 1000;

export function fuzz(input: Buffer): void {
  if (input.length === 0) return;
  const bytes = input.subarray(1);
  const file = input[0]! % 2 === 0 ? Buffer.from(bytes) : withValues(bytes);
  const read = attempt(file);
  if (!read) return;
  const expected = parseSafetensors(file);
  expectSame(read, expected);
  const again = attempt(encodeSafetensors(headerOf(expected), expected.data));
  assert.ok(again, 'what was read is not read again');
  expectSame(again, expected);
  load(file);
}

function withValues(json: Buffer): Buffer {
  const ends = Array.from(json.toString('latin1').matchAll(/(\d+)\s*\]/g), ([, end]) =>
    Number(end),
  );
  const most = Math.max(0, ...ends.filter((end) => end <= mostValues));
  const values = Buffer.from(Uint8Array.from({ length: most }, (_, i) => i % 7));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, values]);
}

/** What the reader makes of a file; undefined where it refuses it. */
function attempt(file: Buffer): SafetensorsFile | undefined {
  let bytesRead = 0;
  const read = (position: number, length: number): Buffer => {
    assert.ok(position >= 0 && length >= 0 && position + length <= file.length, 'reads beyond');
    bytesRead += length;
    return file.subarray(position, position + length);
  };
  try {
    const opened = readSafetensors({ size: file.length, read });
    assert.equal(
      bytesRead,
      file.length - opened.valuesLength,
      'values are read before they are asked for',
    );
    return opened;
  } catch (error) {
    assert.ok(isPlain(error), error as Error);
    return undefined;
  }
}

/** An Error with a message, and no subclass of it, which would be one that nobody meant to throw. */
function isPlain(error: unknown): error is Error {
  if (!(error instanceof Error) || error.constructor !== Error) return false;
  const { message } = error;
  return (
    message !== '' &&
    message.length <= longestMessage &&
    !/[\u0000-\u001f\u007f-\u009f]/.test(message)
  );
}

function expectSame(read: SafetensorsFile, expected: ParsedFile): void {
  assert.deepEqual(new Set(read.tensors.keys()), new Set(Object.keys(expected.tensors)));
  assert.deepEqual(new Map(read.metadata), new Map(Object.entries(expected.metadata)));
  assert.equal(read.valuesLength, expected.data.length);
  for (const [name, { dtype, shape, begin, end }] of read.tensors) {
    const entry = expected.tensors[name]!;
    assert.deepEqual([dtype, shape, [begin, end]], [entry.dtype, entry.shape, entry.data_offsets]);
    assert.deepEqual(read.readVector(name), vectorOf(expected, name));
  }
}

function vectorOf({ tensors, data }: ParsedFile, name: string): Float64Array | undefined {
  const {
    dtype,
    shape,
    data_offsets: [begin],
  } = tensors[name]!;
  if (shape.length !== 1 || (dtype !== 'F64' && dtype !== 'F32')) return undefined;
  return Float64Array.from({ length: shape[0]! }, (_, i) =>
    dtype === 'F64' ? data.readDoubleLE(begin + 8 * i) : data.readFloatLE(begin + 4 * i),
  );
}

function headerOf({ tensors, metadata }: ParsedFile): string {
  // In one text: a tensor may have a name that no object takes as a key of its own.
  const entries = Object.entries(tensors).map(
    ([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`,
  );
  return `{${[`"__metadata__":${JSON.stringify(metadata)}`, ...entries].join(',')}}`;
}

const criteria = [1, 2, 5].map((numClasses) => new EqualizedFocalLoss({ numClasses }));

/** As a state: it is taken, and is then what will be saved, or refused and has changed nothing. */
function load(file: Buffer): void {
  const saved = path.join(tmpdir(), `efl-fuzz-${randomUUID()}.safetensors`);
  writeFileSync(saved, file);
  try {
    for (const criterion of criteria) loadInto(criterion, saved);
  } finally {
    rmSync(saved);
  }
}

function loadInto(criterion: EqualizedFocalLoss, file: string): void {
  const before = criterion.stateDict();
  try {
    criterion.loadState(file);
  } catch (error) {
    assert.ok(error instanceof EflArgumentError, error as Error);
    assert.ok(isPlain(error.cause) || error.cause instanceof EflArgumentError, error);
    assert.deepEqual(criterion.stateDict(), before);
    return;
  }
  const loaded = criterion.stateDict();
  criterion.loadStateDict(loaded);
  assert.deepEqual(criterion.stateDict(), loaded);
  criterion.reset();
}
