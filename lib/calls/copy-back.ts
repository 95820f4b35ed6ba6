import type { PerLevel, Values } from '../binding/addon';
import { EflError } from '../errors';
import {
  bufferOf,
  byteLengthOf,
  byteOffsetOf,
  copyValues,
  lengthOf,
  viewLike,
} from '../intrinsics';
import { levelAt, levelCount } from '../tensors/levels';
import { bytesOfTurn, copyInTurns } from './turns';

/** Values of one level that are copied at once. */
interface Part {
  readonly source: Values;
  readonly target: Values;
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
}

/**
 * Copies a gradient to where the caller wants it, turn by turn of the event loop. Only this thread
 * can: the caller may transfer the array away at any time, which frees memory under another one.
 */
export async function copyBack(gradient: PerLevel<Values>, grad: PerLevel<Values>): Promise<void> {
  for (let level = 0; level < levelCount(grad); level++) {
    checkThere(levelAt(gradient, level), levelAt(grad, level));
  }
  await copyInTurns(partsOf(gradient, grad), (part) => {
    checkThere(part.source, part.target);
    copyValues(slice(part.source, part), slice(part.target, part));
  });
}

function* partsOf(gradient: PerLevel<Values>, grad: PerLevel<Values>): Generator<Part> {
  for (let level = 0; level < levelCount(grad); level++) {
    const [source, target] = [levelAt(gradient, level), levelAt(grad, level)];
    const length = lengthOf(source);
    const size = byteLengthOf(source) / length;
    const most = bytesOfTurn / size;
    for (let first = 0; first < length; first += most) {
      const count = Math.min(most, length - first);
      yield { source, target, first, count, bytes: count * size };
    }
  }
}

function slice(values: Values, { first, count }: Part): Values {
  const size = byteLengthOf(values) / lengthOf(values);
  return viewLike(values, bufferOf(values), byteOffsetOf(values) + first * size, count);
}

function checkThere(gradient: Values, grad: Values): void {
  if (lengthOf(grad) === lengthOf(gradient)) return;
  throw new EflError(
    'EFL_GRAD_DETACHED',
    'grad was detached or resized while the call was under way: its gradient is lost, ' +
      'and its statistics are in the state',
  );
}
