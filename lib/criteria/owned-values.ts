/** Memory that belongs to an asynchronous call alone, so that nobody changes, moves or frees it. */
import { types } from 'node:util';
import type { PerLevel, Values } from '../binding/addon';
import { isList, levelAt, levelCount, mapLevels } from '../tensors/levels';
import { overlapAmong } from '../tensors/memory';
import { isFloat32Array } from '../tensors/tensor';
import { reject } from '../validation';

/**
 * A buffer that others share, or that the result goes into, cannot be taken over. The gradient is
 * written over what was taken, so that one level must not be read through another.
 */
export function checkTransfer(values: PerLevel<Values>, grad: PerLevel<Values> | undefined): void {
  const buffers = new Set<ArrayBufferLike>();
  for (let level = 0; level < levelCount(values); level++) {
    const { buffer } = levelAt(values, level);
    if (types.isSharedArrayBuffer(buffer)) {
      reject('transfer', 'false for values in a SharedArrayBuffer', true);
    }
    buffers.add(buffer);
  }
  if (overlapAmong(values)) reject('transfer', 'false for levels that share memory', true);
  for (let level = 0; grad && level < levelCount(grad); level++) {
    if (buffers.has(levelAt(grad, level).buffer)) {
      reject('transfer', 'false where grad is in the buffer of the logits', true);
    }
  }
}

/** A copy of the values, or the caller's own buffers taken over. */
export function ownedValues(values: PerLevel<Values>, transfer: boolean): PerLevel<Values> {
  if (!transfer) return mapLevels(values, copyOf);
  const buffers = buffersOf(values);
  // Before they change hands: after that the caller's views are empty.
  const views = mapLevels(values, ({ buffer, byteOffset, length }, level) => ({
    Kind: isFloat32Array(levelAt(values, level)) ? Float32Array : Uint16Array,
    buffer: buffers.indexOf(buffer as ArrayBuffer),
    byteOffset,
    length,
  }));
  const taken = takeOver(buffers);
  return mapLevels(
    views,
    ({ Kind, buffer, byteOffset, length }) => new Kind(taken[buffer]!, byteOffset, length),
  );
}

/** Each buffer once, since it can be taken only once. */
function buffersOf(values: PerLevel<Values>): ArrayBuffer[] {
  const views = isList(values) ? values : [values];
  return [...new Set(views.map(({ buffer }) => buffer as ArrayBuffer))];
}

function takeOver(buffers: ArrayBuffer[]): ArrayBuffer[] {
  try {
    return structuredClone(buffers, { transfer: buffers });
  } catch {
    // Memory that Node.js lends out, the pool of small buffers for example, cannot change hands.
    return reject('transfer', 'false for memory that cannot be transferred', true);
  }
}

type Copied = Float32Array | Uint16Array | Int32Array;

/** Unlike `slice`, never shares memory and never makes an instance of a subclass. */
function copyOf<T extends Copied>(values: T): T {
  const Kind = isFloat32Array(values)
    ? Float32Array
    : types.isInt32Array(values)
      ? Int32Array
      : Uint16Array;
  return new Kind(values) as T;
}

/** A copy of every level. */
export function copyOfLevels<T extends Copied>(values: PerLevel<T>): PerLevel<T> {
  return mapLevels(values, (level) => copyOf(level));
}
