import { outcomeSlot, outcomeSlots, reportOffset, status } from '../binding/addon';
import { cudaError } from '../binding/devices';
import { EflArgumentError, EflError, EflOutOfMemoryError } from '../errors';
import type { CollectOutput } from './results';

export function readCounts(outcome: Float64Array): CollectOutput {
  return {
    positives: outcome[outcomeSlot.positives]!,
    ignored: outcome[outcomeSlot.ignored]!,
    nonFinite: outcome[outcomeSlot.nonFinite]!,
  };
}

/** What the report of a call on a device says, in the same places. */
export function outcomeIn(report: Uint8Array): Float64Array {
  const view = new DataView(report.buffer);
  const outcome = new Float64Array(outcomeSlots);
  outcome[outcomeSlot.status] = view.getInt32(reportOffset.status, true);
  outcome[outcomeSlot.badValue] = view.getFloat64(reportOffset.badValue, true);
  for (const name of ['positives', 'ignored', 'nonFinite', 'badLevel', 'badIndex'] as const) {
    outcome[outcomeSlot[name]] = Number(view.getBigInt64(reportOffset[name], true));
  }
  return outcome;
}

/** Throws what the addon reports; `lists` says whether the logits came in a list. */
export function checkOutcome(
  outcome: Float64Array,
  lists: boolean,
  expectedLabel: () => string,
): void {
  if (outcome[outcomeSlot.status] !== status.ok) throw outcomeError(outcome, lists, expectedLabel);
}

/** Where logits come in lists the place of a bad value has a level. */
function outcomeError(outcome: Float64Array, lists: boolean, expectedLabel: () => string): Error {
  const level = lists ? `[${outcome[outcomeSlot.badLevel]!}]` : '';
  const place = `${level}[${outcome[outcomeSlot.badIndex]!}]`;
  const value = String(outcome[outcomeSlot.badValue]!);
  switch (outcome[outcomeSlot.status]) {
    case status.badLabel:
      return new EflArgumentError(`labels${place}`, expectedLabel(), value);
    case status.badTarget:
      return new EflArgumentError(`targets${place}`, 'a number in [0, 1]', value);
    case status.badQuality:
      return new EflArgumentError(`quality${place}`, 'a number in [0, 1]', value);
    case status.badNormalizer:
      return new EflArgumentError('normalizer', 'a finite number > 0', value);
    case status.notComputed:
      return new EflError(
        'EFL_CAPTURE',
        'the call was captured, and no graph has been replayed yet',
      );
    case status.outOfMemory:
      return new EflOutOfMemoryError();
    case status.deviceError:
      return cudaError(outcome[outcomeSlot.badIndex]!);
    default:
      return new Error(`unknown status ${String(outcome[outcomeSlot.status])} of the native addon`);
  }
}
