import { cudaError } from '../binding/devices';
import { codes } from '../binding/codes';
import { EflArgumentError, EflError, EflOutOfMemoryError } from '../errors';
import type { CollectOutput } from './results';

export function readCounts(outcome: Float64Array): CollectOutput {
  const { slot } = codes;
  return {
    positives: outcome[slot.positives]!,
    ignored: outcome[slot.ignored]!,
    nonFinite: outcome[slot.nonFinite]!,
  };
}

/** Throws what a report tells; `lists` says whether the logits came in a list. */
export function checkOutcome(
  outcome: Float64Array,
  lists: boolean,
  expectedLabel: () => string,
): void {
  const { slot, status } = codes;
  if (outcome[slot.status] !== status.ok) throw outcomeError(outcome, lists, expectedLabel);
}

/** Where logits come in lists the place of a bad value has a level. */
function outcomeError(outcome: Float64Array, lists: boolean, expectedLabel: () => string): Error {
  const { slot, status } = codes;
  const level = lists ? `[${outcome[slot.badLevel]!}]` : '';
  const place = `${level}[${outcome[slot.badIndex]!}]`;
  const value = String(outcome[slot.badValue]!);
  switch (outcome[slot.status]) {
    case status.badLabel:
      return new EflArgumentError(`labels${place}`, expectedLabel(), value);
    case status.badTarget:
      return new EflArgumentError(`targets${place}`, 'a number in [0, 1]', value);
    case status.badQuality:
      return new EflArgumentError(`quality${place}`, 'a number in [0, 1]', value);
    case status.badWeight:
      return new EflArgumentError(`rowWeight${place}`, expectedWeight(Number(value)), value);
    case status.badNormalizer:
      return new EflArgumentError('normalizer', 'a finite number > 0', value);
    case status.outOfMemory:
      return new EflOutOfMemoryError();
    case status.deviceError:
      return cudaError(outcome[slot.badIndex]!);
    case status.notComputed:
      return new EflError(
        'EFL_CAPTURE',
        'the call was captured, and no graph has been replayed yet',
      );
    default:
      return new Error(`unknown status ${String(outcome[slot.status])} of the native addon`);
  }
}

/** One that is no number by itself, or too large for the weights of the classes. */
function expectedWeight(value: number): string {
  return Number.isFinite(value) && value >= 0
    ? 'a number whose product with the weights of every class is finite in float32'
    : 'a finite number >= 0';
}
