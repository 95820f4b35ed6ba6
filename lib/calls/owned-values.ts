/** Buffers that an asynchronous call takes over from its caller, in place of copying the values. */
import { types } from 'node:util';
import type { PerLevel, Values } from '../binding/addon';
import { bufferOf, byteOffsetOf, lengthOf, structuredClone, viewLike } from '../intrinsics';
import { isList, levelAt, levelCount, mapLevels } from '../tensors/levels';
import { overlapAmong } from '../tensors/memory';
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

/** The caller's own buffers, taken over. */
export function takenValues(values: PerLevel<Values>): PerLevel<Values> {
  const buffers = buffersOf(values);
  // Before they change hands: after that the caller's views are empty.
  const places = mapLevels(values, (level) => ({
    level,
    buffer: buffers.indexOf(bufferOf(level) as ArrayBuffer),
    byteOffset: byteOffsetOf(level),
    length: lengthOf(level),
  }));
  const taken = takeOver(buffers);
  return mapLevels(places, ({ level, buffer, byteOffset, length }) =>
    viewLike(level, taken[buffer]!, byteOffset, length),
  );
}

/** Each buffer once, since it can be taken only once. None is shared: such calls are refused. */
function buffersOf(values: PerLevel<Values>): ArrayBuffer[] {
  const views = isList(values) ? values : [values];
  return [...new Set(views.map(bufferOf))] as ArrayBuffer[];
}

function takeOver(buffers: ArrayBuffer[]): ArrayBuffer[] {
  try {
    return structuredClone(buffers, { transfer: buffers });
  } catch {
    // Memory that Node.js lends out, the pool of small buffers for example, cannot change hands.
    return reject('transfer', 'false for memory that cannot be transferred', true);
  }
}
