/** The memory that an asynchronous call has of its own, so that nobody changes, moves or frees it. */
import type { PerLevel } from '../binding/addon';
import {
  Float32Array,
  byteLengthOf,
  copyValues,
  lengthOf,
  viewLike,
  type PlainArray,
} from '../intrinsics';
import { levelAt, levelCount, mapLevels } from '../tensors/levels';
import { giveBack, takeBlock, type BlockUser } from '../tensors/spare-memory';
import { reserve } from '../binding/executor';

/** Arrays that a call may have. */
export type Arrays = readonly (PerLevel<PlainArray> | undefined)[];

/** Room for copies, side by side in one block. */
export class CallMemory {
  readonly #buffer: ArrayBuffer;
  #end = 0;

  constructor(buffer: ArrayBuffer) {
    this.#buffer = buffer;
  }

  /** A copy of every level, for which there must be room. */
  copy<T extends PlainArray>(values: PerLevel<T>): PerLevel<T> {
    return mapLevels(values, (level) => {
      const copy = viewLike(level, this.#buffer, this.#end, lengthOf(level));
      copyValues(level, copy);
      this.#end += roomFor(level);
      return copy;
    });
  }
}

/**
 * Runs a call that copies `copied` and holds `more` bytes beside them. The memory is given back when
 * its promise has settled, which must not be before the addon has done with it.
 */
export async function withCallMemory<T>(
  user: BlockUser,
  copied: Arrays,
  more: number,
  call: (memory: CallMemory) => Promise<T>,
): Promise<T> {
  const bytes = sum(copied, roomFor);
  const release = reserve(bytes + more);
  try {
    const block = takeBlock(bytes, user);
    try {
      return await call(new CallMemory(block.buffer));
    } finally {
      giveBack(block);
    }
  } finally {
    release();
  }
}

/** The bytes of arrays, all levels together. */
export function bytesOf(arrays: Arrays): number {
  return sum(arrays, byteLengthOf);
}

/** The bytes of a float32 value for each of the values. */
export function bytesOfFloat32(values: PerLevel<PlainArray>): number {
  return sum([values], lengthOf) * Float32Array.BYTES_PER_ELEMENT;
}

function sum(arrays: Arrays, sizeOf: (values: PlainArray) => number): number {
  let size = 0;
  for (const levels of arrays) {
    for (let level = 0; levels && level < levelCount(levels); level++) {
      size += sizeOf(levelAt(levels, level));
    }
  }
  return size;
}

/** Every copy begins a line of the caches. */
function roomFor(values: PlainArray): number {
  return Math.ceil(byteLengthOf(values) / 64) * 64;
}
