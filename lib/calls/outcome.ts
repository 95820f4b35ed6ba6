import { outcomeSlot, status } from '../binding/addon';
import { cudaError } from '../binding/devices';
import { EflArgumentError, EflOutOfMemoryError } from '../errors';
import type { CollectOutput } from './results';

export function readCounts(outcome: Float64Array): CollectOutput {
  return {
    positives: outcome[outcomeSlot.positives]!,
    ignored: outcome[outcomeSlot.ignored]!,
    nonFinite: outcome[outcomeSlot.nonFinite]!,
  };
}

export function isOk(outcome: Float64Array): boolean {
  return outcome[outcomeSlot.status] === status.ok;
}

/**
 * The error that the addon reports. Where logits come in lists the place of a bad value has a level;
 * `expectedLabel` tells what a label may be.
 */
export function outcomeError(outcome: Float64Array, lists: boolean, expectedLabel: string): Error {
  const level = lists ? `[${outcome[outcomeSlot.badLevel]!}]` : '';
  const place = `${level}[${outcome[outcomeSlot.badIndex]!}]`;
  const value = String(outcome[outcomeSlot.badValue]!);
  switch (outcome[outcomeSlot.status]) {
    case status.badLabel:
      return new EflArgumentError(`labels${place}`, expectedLabel, value);
    case status.badTarget:
      return new EflArgumentError(`targets${place}`, 'a number in [0, 1]', value);
    case status.badQuality:
      return new EflArgumentError(`quality${place}`, 'a number in [0, 1]', value);
    case status.outOfMemory:
      return new EflOutOfMemoryError();
    case status.deviceError:
      return cudaError(outcome[outcomeSlot.badIndex]!);
    default:
      return new Error(`unknown status ${String(outcome[outcomeSlot.status])} of the native addon`);
  }
}
