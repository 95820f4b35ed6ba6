import { outcomeSlot, status } from '../binding/addon';
import { EflArgumentError, EflOutOfMemoryError } from '../errors';
import type { TensorLike } from '../tensors/tensor';

/** What a criterion returns. */
export interface LossOutput<T extends TensorLike = TensorLike> {
  /** The reduced loss; with reduction `'none'` the plain sum of the elements. */
  readonly loss: number;
  /** Rows with a class. */
  readonly positives: number;
  /** Rows with an ignored label. */
  readonly ignored: number;
  /** NaN and infinite logits in the other rows. They never enter the statistics. */
  readonly nonFinite: number;
  /** Only with reduction `'none'`: the loss of each element, 0 in ignored rows. */
  readonly elements?: T;
}

/** What {@link EqualizedFocalLoss.collectGrad} returns. */
export interface CollectOutput {
  readonly positives: number;
  readonly ignored: number;
  /** NaN and infinite gradients; they are left out. */
  readonly nonFinite: number;
}

export function readCounts(outcome: Float64Array): CollectOutput {
  return {
    positives: outcome[outcomeSlot.positives]!,
    ignored: outcome[outcomeSlot.ignored]!,
    nonFinite: outcome[outcomeSlot.nonFinite]!,
  };
}

/** Throws what the addon reports. `expectedLabel` tells what a label may be. */
export function checkOutcome(outcome: Float64Array, expectedLabel: () => string): void {
  if (outcome[outcomeSlot.status] === status.ok) return;
  const index = outcome[outcomeSlot.badIndex]!;
  const value = String(outcome[outcomeSlot.badValue]!);
  switch (outcome[outcomeSlot.status]) {
    case status.badLabel:
      throw new EflArgumentError(`labels[${index}]`, expectedLabel(), value);
    case status.badTarget:
      throw new EflArgumentError(`targets[${index}]`, 'a number in [0, 1]', value);
    case status.outOfMemory:
      throw new EflOutOfMemoryError();
    default:
      throw new Error(`unknown status ${String(outcome[outcomeSlot.status])} of the native addon`);
  }
}
