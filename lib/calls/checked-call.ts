/** Calls as the checker leaves them, whichever memory they are of. */
import type { NativeCriterion, PerLevel, reductionCode, Values } from '../binding/addon';
import type { CudaStream } from '../cuda/cuda-stream';
import type { CudaTensor } from '../cuda/cuda-tensor';
import type { LabelConvention } from '../tensors/labels';
import type { RowWidth } from '../tensors/layout';
import type { CheckedLogits } from '../tensors/logits';
import type { Logits } from './arguments';
import type { AsyncCall, BackwardCall, GradientCall } from './call-options';

/** How the elements become the loss. */
export type Reduction = keyof typeof reductionCode;

/** What calls have to know of their criterion. */
export interface CallRules extends RowWidth {
  readonly options: {
    readonly reduction: Reduction;
    readonly lossWeight: number;
  };
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

/** The options of a call, each read once. */
export type GivenCall = Partial<BackwardCall & GradientCall<Logits> & AsyncCall>;

/** The arrays of a call in host memory. */
export interface OnHost {
  readonly logits: Values;
  readonly labels: Int32Array;
  readonly floats: Float32Array;
}

/** Those on a device; what came from the host is copied there when the call is run. */
export interface OnDevice {
  readonly logits: CudaTensor;
  readonly labels: CudaTensor | Int32Array;
  readonly floats: CudaTensor | Float32Array;
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
}

/** A call, likewise. */
export interface CheckedCall<Place extends OnHost | OnDevice = OnHost> {
  readonly arrays: CallArrays<Place>;
  readonly wantsGradient: boolean;
  readonly wantsElements: boolean;
  /** The logits are gradients, of which only the statistics are wanted, `upstream` times. */
  readonly gradientsGiven: boolean;
  /** A tensor only on a device, as `upstream`. */
  readonly normalizer: number | CudaTensor;
  readonly upstream: number | CudaTensor;
  readonly lossScale: number;
  readonly collect: boolean;
  readonly signal: AbortSignal | undefined;
  readonly transfer: boolean;
  readonly stream: CudaStream | undefined;
}
