import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { EflArgumentError } from '../errors';
import { reject } from '../validation';
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile } from './safetensors';
import { checkState, stateNames, type CheckedState } from './statistics';

/** Writes the state of a loss as a safetensors file: whole, or not at all. */
export function writeCheckpoint(file: unknown, state: CheckedState, loss: string): void {
  const target = checkPath(file);
  const { steps, ...tensors } = state;
  const bytes = encodeSafetensors(
    { pos_grad: tensors.pos_grad, neg_grad: tensors.neg_grad, pos_neg: tensors.pos_neg },
    { format: 'equalized-focal-loss', loss, steps: String(steps) },
  );
  // Beside the target: a rename is atomic only within one file system.
  const temporary = path.join(path.dirname(target), `.efl-${randomUUID()}.tmp`);
  try {
    writeDurably(temporary, bytes);
    renameSync(temporary, target);
  } catch (error) {
    removeQuietly(temporary);
    throw unusable('a path that can be written', error);
  }
}

/** After a failure, whose error is the one to report. */
function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where the path itself is impossible there is no file either.
  }
}

function writeDurably(file: string, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'wx');
  try {
    for (let written = 0; written < bytes.length;) {
      written += writeSync(descriptor, bytes, written);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads a state for a criterion and checks all of it, as `checkState` does. A file that names another
 * loss is refused: its gradients say nothing of the balance here.
 */
export function readCheckpoint(
  file: unknown,
  loss: string,
  numClasses: number,
  largestRatio: number,
): CheckedState {
  const source = checkPath(file);
  let bytes: Buffer;
  try {
    bytes = readFileSync(source);
  } catch (error) {
    throw unusable('a file that can be read', error);
  }
  try {
    return stateOf(decodeSafetensors(bytes), loss, numClasses, largestRatio);
  } catch (error) {
    throw unusable(`a safetensors file with the state of ${numClasses} classes`, error);
  }
}

function stateOf(
  { tensors, metadata }: SafetensorsFile,
  loss: string,
  numClasses: number,
  largestRatio: number,
): CheckedState {
  for (const name of stateNames) {
    if (!tensors.has(name)) throw new Error(`no vector ${name} of float64 or float32`);
  }
  const { steps, loss: written = loss } = metadata;
  if (written !== loss) throw new Error(`the state of another loss: '${written}', not '${loss}'`);
  return checkState(
    { ...Object.fromEntries(tensors), steps: steps === undefined ? undefined : Number(steps) },
    numClasses,
    largestRatio,
  );
}

function unusable(expected: string, cause: unknown): EflArgumentError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new EflArgumentError('path', expected, problem, { cause });
}

function checkPath(file: unknown): string {
  if (typeof file !== 'string' || file === '') reject('path', 'the path of a file', file);
  return file;
}
