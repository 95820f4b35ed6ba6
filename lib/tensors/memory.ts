import type { PerLevel } from '../binding/addon';
import { EflArgumentError } from '../errors';
import { reject } from '../validation';
import {
  bufferOf,
  byteLengthOf,
  byteOffsetOf,
  isDetached,
  isResizable,
  lengthOf,
} from '../intrinsics';
import { levelAt, levelCount, levelName } from './levels';

/**
 * Refuses values whose buffer can change its size, so that the length that was checked stays true,
 * and values whose buffer has been transferred away, which would pass for no values at all.
 */
export function rejectUnstable(argument: string, values: ArrayBufferView): void {
  const buffer = bufferOf(values);
  if (isResizable(buffer)) {
    throw new EflArgumentError(argument, 'values in a buffer of fixed size', 'a resizable buffer');
  }
  if (lengthOf(values) === 0 && isDetached(buffer)) rejectDetached(argument);
}

/**
 * Refuses values that have been taken away since they were checked: by a getter that was run then,
 * for example. To be asked last, when no code of the caller runs any more. Of each tensor there is one
 * value for every `per` of its own.
 */
export function rejectVanished(
  argument: string,
  values: PerLevel<ArrayBufferView> | undefined,
  tensors: PerLevel<{ readonly length: number }>,
  per = 1,
): void {
  for (let level = 0; values && level < levelCount(values); level++) {
    const view = levelAt(values, level);
    const length = lengthOf(view);
    const isThere = length > 0 || !isDetached(bufferOf(view));
    if (isThere && length * per === levelAt(tensors, level).length) continue;
    rejectDetached(levelName(argument, values, level));
  }
}

function rejectDetached(argument: string): never {
  throw new EflArgumentError(argument, 'values in a buffer of their own', 'a detached buffer');
}

/** Whether two of one kind of memory have a part in common, and whether that is all of both. */
export interface Sharing {
  overlaps(a: object, b: object): boolean;
  isSame(a: object, b: object): boolean;
}

const ofArrays: Sharing = { overlaps, isSame: isSameMemory };

/** Refuses an output that shares memory with an input, at any level. */
export function rejectOverlap(
  argument: string,
  outputs: PerLevel<object>,
  inputName: string,
  inputs: PerLevel<object> | undefined,
  sharing = ofArrays,
): void {
  rejectShared(argument, outputs, inputName, inputs, sharing, false);
}

/** The same, but the output of a level may be exactly the input of that level. */
export function rejectPartialOverlap(
  argument: string,
  outputs: PerLevel<object>,
  inputName: string,
  inputs: PerLevel<object> | undefined,
  sharing = ofArrays,
): void {
  rejectShared(argument, outputs, inputName, inputs, sharing, true);
}

function rejectShared(
  argument: string,
  outputs: PerLevel<object>,
  inputName: string,
  inputs: PerLevel<object> | undefined,
  sharing: Sharing,
  mayBeSame: boolean,
): void {
  for (let output = 0; inputs && output < levelCount(outputs); output++) {
    for (let input = 0; input < levelCount(inputs); input++) {
      const [own, other] = [levelAt(outputs, output), levelAt(inputs, input)];
      const counterparts = mayBeSame && output === input;
      if (!sharing.overlaps(own, other)) continue;
      if (counterparts && sharing.isSame(own, other)) continue;
      const name = levelName(inputName, inputs, input);
      const exception = counterparts ? `, or exactly that of ${name}` : '';
      reject(levelName(argument, outputs, output), `memory apart from ${name}${exception}`, own);
    }
  }
}

/** The first two levels that share memory, the later one first. */
export function overlapAmong(
  levels: PerLevel<object>,
  sharing = ofArrays,
): readonly [later: number, earlier: number] | undefined {
  for (let later = 1; later < levelCount(levels); later++) {
    for (let earlier = 0; earlier < later; earlier++) {
      if (sharing.overlaps(levelAt(levels, later), levelAt(levels, earlier)))
        return [later, earlier];
    }
  }
  return undefined;
}

/** Refuses outputs of different levels that share memory. */
export function rejectOverlapAmong(
  argument: string,
  outputs: PerLevel<object>,
  sharing = ofArrays,
): void {
  const found = overlapAmong(outputs, sharing);
  if (!found) return;
  const [later, earlier] = found;
  const expected = `memory apart from ${argument}[${earlier}]`;
  reject(`${argument}[${later}]`, expected, levelAt(outputs, later));
}

/** Whether two typed arrays share memory. */
export function overlaps(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    bufferOf(a) === bufferOf(b) &&
    byteOffsetOf(a) < byteOffsetOf(b) + byteLengthOf(b) &&
    byteOffsetOf(b) < byteOffsetOf(a) + byteLengthOf(a)
  );
}

/** Whether two that share memory share all of it. */
export function isSameMemory(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return byteOffsetOf(a) === byteOffsetOf(b) && byteLengthOf(a) === byteLengthOf(b);
}
