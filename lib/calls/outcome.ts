import { outcomeSlot, status } from '../binding/addon';
import { cudaError } from '../binding/devices';
import { EflArgumentError, EflOutOfMemoryError } from '../errors';
import type { CudaTensor } from '../cuda/cuda-tensor';
import type { ElementsOf } from '../tensors/form';
import type { Logits } from '../tensors/logits';

/** A number, or for logits on a device a tensor of one, since reading it waits for the device. */
export type LossOf<L> = L extends CudaTensor | readonly CudaTensor[] ? CudaTensor : number;

/**
 * What a criterion returns for logits of type `L`. For logits on a device the counts are read when
 * they are asked for, and wait for the call; whatever the labels, a normalizer on the device or the
 * qualities had wrong is thrown then, or where the loss or the gradient is read first.
 */
export interface LossOutput<L = Logits> {
  /** The reduced loss; with reduction `'none'` the plain sum of the elements. */
  readonly loss: LossOf<L>;
  /** Rows with a class. */
  readonly positives: number;
  /** Rows with an ignored label. */
  readonly ignored: number;
  /** NaN and infinite logits in the other rows. They never enter the statistics. */
  readonly nonFinite: number;
  /**
   * Only with reduction `'none'`: the loss of each element, 0 in ignored rows. In the form of the
   * logits, in float32.
   */
  readonly elements?: ElementsOf<L>;
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
