/** What calls return, in the form of the logits they were given. */
import type { CudaTensor } from '../cuda/cuda-tensor';
import type { Float16Values, HostFloat16Array } from '../tensors/float16';
import type { ArrowVector, DimsTensor } from '../tensors/foreign';
import type { HostTensor, HostValues } from '../tensors/tensor';
import type { Logits } from './arguments';

/** Results come back as the logits came: bare values, a tensor, or a list of tensors. */
export type FormOf<T> = T extends CudaTensor
  ? CudaTensor
  : T extends Float32Array
    ? Float32Array
    : T extends Float16Values
      ? HostFloat16Array
      : T extends readonly unknown[]
        ? { -readonly [Level in keyof T]: FormOf<T[Level]> }
        : T extends ArrowVector<Float32Array>
          ? Float32Array
          : T extends
                | HostTensor<infer Data extends HostValues>
                | DimsTensor<infer Data extends HostValues>
            ? HostTensor<Data>
            : never;

/** The losses of the elements come in the same form, in float32 whatever the logits are. */
export type ElementsOf<T> = T extends CudaTensor
  ? CudaTensor
  : T extends Float32Array | Float16Values | ArrowVector<Float32Array>
    ? Float32Array
    : T extends readonly unknown[]
      ? { -readonly [Level in keyof T]: ElementsOf<T[Level]> }
      : T extends HostTensor | DimsTensor<HostValues>
        ? HostTensor<Float32Array>
        : never;

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
