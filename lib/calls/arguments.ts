/** The arrays that a call may be given, in host memory or on a device. */
import type { CudaTensor } from '../cuda/cuda-tensor';
import type { Float16Values } from '../tensors/float16';
import type { DimsTensor } from '../tensors/foreign';
import type { HostLabelValues } from '../tensors/labels';
import type { HostMask } from '../tensors/masks';
import type { ForeignTensor, HostTensor, HostValues, TensorLike } from '../tensors/tensor';

/**
 * Logits: bare rows x classes, a tensor in one of the layouts, or a list of tensors, one for each
 * level of a feature pyramid, all of one layout and element type. On the host or on a device.
 */
export type Logits =
  | Float32Array
  | Float16Values
  | HostTensor
  | readonly HostTensor[]
  | ForeignTensor
  | readonly DimsTensor<HostValues>[]
  | DeviceLogits;

/** Logits on a device: one tensor, or one for each level. */
export type DeviceLogits = CudaTensor | readonly CudaTensor[];

/**
 * One integer for each row: its class, background, or a label to ignore. For a list of levels a list
 * of these. On a device int32 tensors, for logits that are there, too. Rows of a level are ordered
 * images x H x W x anchors, whatever the layout of the logits.
 *
 * An array of integers of any type holds labels, and one of floats dense targets. A `Uint16Array`
 * holds labels unless its tensor says that these are the bits of a `'float16'` or `'bfloat16'`.
 */
export type Labels = HostLabelValues | CudaTensor | readonly (HostLabelValues | CudaTensor)[];

/**
 * Dense targets, in place of labels: a float32 value in [0, 1] for each logit, in the order of the
 * logits; rows may have several positives, or soft ones. With a list of logits a list, one for each
 * level.
 */
export type Targets =
  Float32Array | HostTensor | readonly TensorLike[] | CudaTensor | readonly CudaTensor[];

type LevelQuality = Float32Array | readonly number[] | CudaTensor;

/** One number in [0, 1] for each row, read in rows with a class; a list of them for a list of logits. */
export type Quality = LevelQuality | readonly LevelQuality[];

type LevelRowWeight = TensorLike | readonly number[] | CudaTensor;

/**
 * One finite number >= 0 for each row, in the order of the labels; a list of them for a list of
 * logits.
 */
export type RowWeight = LevelRowWeight | readonly LevelRowWeight[];

type LevelMask = HostMask | CudaTensor;

/**
 * One byte for each logit, in the order of the logits; a list of them for a list of logits. On a
 * device tensors of `'uint8'`, for logits that are there, too.
 */
export type Mask = LevelMask | readonly LevelMask[];
