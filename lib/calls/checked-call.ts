/** Calls as the checker leaves them, whichever memory they are of. */
import type { AddonCodes, NativeCriterion, PerLevel, Values } from '../binding/addon';
import type { CudaStream } from '../cuda/cuda-stream';
import type { CudaTensor } from '../cuda/cuda-tensor';
import type { LabelConvention } from '../tensors/labels';
import type { RowWidth } from '../tensors/layout';
import type { CheckedLogits } from '../tensors/logits';
import type { Logits } from './arguments';
import type { GivenCall } from './call-options';

/** How the elements become the loss. */
export type Reduction = keyof AddonCodes['reduction'];

/** Normalizers that are counted in the call. */
export type CountedNormalizer = keyof AddonCodes['normalizer'];

/** What calls have to know of their criterion. */
export interface CallRules extends RowWidth {
  readonly reduction: Reduction;
  readonly convention: LabelConvention;
  /** Whether labels come with a quality. */
  readonly takesQuality: boolean;
}

/** Whose calls are run. */
export interface CallOwner {
  /** Throws where it has been disposed of. */
  native(): NativeCriterion;
  /** What a label may be, for error messages. */
  readonly expectedLabel: () => string;
}

/** The arrays of a call in host memory. */
export interface OnHost {
  readonly logits: Values;
  readonly labels: Int32Array;
  readonly floats: Float32Array;
  readonly bytes: Uint8Array;
}

/** Those on a device; what came from the host is copied there when the call is run. */
export interface OnDevice {
  readonly logits: CudaTensor;
  readonly labels: CudaTensor | Int32Array;
  readonly floats: CudaTensor | Float32Array;
  readonly bytes: CudaTensor | Uint8Array;
}

/** The arrays of a call, checked. They are still the caller's. */
export interface CallArrays<Place extends OnHost | OnDevice = OnHost> {
  /** The logits as they were given, for the form of the results, and their values. */
  readonly logits: CheckedLogits<Place['logits']>;
  readonly values: PerLevel<Place['logits']>;
  readonly geometry: Int32Array | undefined;
  /** Either labels or targets. */
  readonly labels: PerLevel<Place['labels']> | undefined;
  readonly targets: PerLevel<Place['floats']> | undefined;
  readonly quality: PerLevel<Place['floats']> | undefined;
  /** The object the caller gave for the gradient, and its values. */
  readonly gradGiven: Logits | undefined;
  readonly grad: PerLevel<Place['logits']> | undefined;
  readonly gradOutput: PerLevel<Place['floats']> | undefined;
  readonly rowWeight: PerLevel<Place['floats']> | undefined;
  readonly mask: PerLevel<Place['bytes']> | undefined;
  readonly classMask: Place['bytes'] | undefined;
}

/** The numbers of a call. A tensor has its number on the device. */
export interface CallNumbers {
  readonly normalizer: number | CountedNormalizer | CudaTensor;
  /** d(total)/d(loss). */
  readonly upstream: number | CudaTensor;
  /** One of `codes.collect`. */
  readonly collect: number;
  readonly equalize: boolean;
  /** The logits are gradients, of which only the statistics are wanted. */
  readonly gradientsGiven: boolean;
  /** The options as the caller gave them: those that are plain numbers, and for error messages. */
  readonly given: GivenCall;
}

/** A call, likewise; the values of its numbers core has checked, or does when it is made. */
export interface CheckedCall<Place extends OnHost | OnDevice = OnHost> extends CallNumbers {
  readonly arrays: CallArrays<Place>;
  readonly wantsGradient: boolean;
  readonly wantsElements: boolean;
  readonly signal: AbortSignal | undefined;
  readonly transfer: boolean;
  readonly stream: CudaStream | undefined;
}
