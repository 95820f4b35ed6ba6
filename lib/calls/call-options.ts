/** What may be said of a call, and which kinds of calls take it. */
import type { CudaStream } from '../cuda/cuda-stream';
import type { CudaTensor } from '../cuda/cuda-tensor';
import { formatNames, type FormatOptions } from '../tensors/layout';
import type { TensorLike } from '../tensors/tensor';
import { knownOptions } from '../validation';
import type { Logits, Mask, Quality, RowWeight } from './arguments';

/** Options of one forward call. */
export interface ForwardCall extends FormatOptions {
  /**
   * What the sum of the elements is divided by: a number > 0, `'positives'` for max(1, rows with a
   * class in this call), or `'weights'` for the sum of the weights of these rows, 1 where there is
   * none; with logits on a device also a float32 tensor of one there. Only with reduction `'sum'`.
   * Default 1.
   */
  readonly normalizer?: number | 'positives' | 'weights' | CudaTensor | undefined;
  /** Of each row, in [0, 1]. The quality losses need it with labels; nobody else takes it. */
  readonly quality?: Quality | undefined;
  /** With logits on a device: the stream the call is put into. Default: the device's default one. */
  readonly stream?: CudaStream | undefined;
  /**
   * False: the loss at the base focusing factor and weights, without what the statistics of an
   * equalized criterion make of each class. Its values can be compared across steps. Default true.
   */
  readonly equalize?: boolean | undefined;
  /**
   * Weight of each row, finite and >= 0: factor on its loss, elements, gradient and statistics. A row
   * of weight 0, or below 2^-126, is ignored, as by its label. Default: every row weighs 1.
   */
  readonly rowWeight?: RowWeight | undefined;
  /**
   * A byte for each logit: 0 leaves the element out of everything, whatever its logit and target
   * are; its gradient is 0. A row whose own class is left out is none of the positives. Default:
   * nothing is left out.
   */
  readonly mask?: Mask | undefined;
  /**
   * A byte for each class: 0 leaves all its elements out, as `mask` does. An objectness column always
   * counts. Default: nothing is left out.
   */
  readonly classMask?: Uint8Array | CudaTensor | undefined;
}

/** Options of one forward and backward call. */
export interface BackwardCall extends Omit<ForwardCall, 'equalize'> {
  /**
   * d(total)/d(loss), a finite number; with reduction `'none'` also one float32 value for each
   * element, in a list for a list of logits; with logits on a device also a float32 tensor of one
   * there. Factor on gradient and statistics. Default 1.
   */
  readonly gradOutput?:
    number | TensorLike | readonly TensorLike[] | CudaTensor | readonly CudaTensor[] | undefined;
  /**
   * Loss scale of mixed-precision training, finite and not 0: multiplied into the gradient, and not
   * into the statistics. Default 1.
   */
  readonly lossScale?: number | undefined;
  /**
   * Whether this call's gradient statistics enter the state of an equalized criterion. `'defer'`: not
   * before {@link EqualizedFocalLoss.commit}, which folds in those of all deferred calls as one step.
   * Default true.
   */
  readonly collect?: boolean | 'defer' | undefined;
}

/** Where the gradient goes. */
export interface GradientCall<G extends Logits> {
  /**
   * Array, tensor or list of tensors to write the gradient into and to return: of the type and the
   * length of the logits, which it may also be. A new one by default: reusing one saves the system's
   * work of handing out fresh memory. In an asynchronous call it is filled over several turns of the
   * event loop: until the promise has settled it may hold a part.
   */
  readonly grad?: G | undefined;
}

/** Options of an asynchronous call. */
export interface AsyncCall {
  /** Cancels the call while it waits for its turn; it then rejects with an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Takes the buffers of the logits over instead of copying them; the caller's arrays are empty
   * afterwards, also where the call fails later on (a bad label, `signal`, `dispose`). Memory that
   * cannot change hands is copied or refused, as the runtime has it. Default false.
   */
  readonly transfer?: boolean | undefined;
}

/** Options of {@link EqualizedFocalLoss.collectGrad}. */
export interface CollectCall extends FormatOptions {
  /** The loss scale that is in these gradients: divided out of the statistics. Default 1. */
  readonly lossScale?: number | undefined;
  /** With gradients on a device: the stream the call is put into. */
  readonly stream?: CudaStream | undefined;
  /** When the statistics enter the state: `true`, now, or `'defer'`, as in other calls. Default true. */
  readonly collect?: true | 'defer' | undefined;
}

/** The options of a call, each read once. */
export type GivenCall = Partial<ForwardCall & BackwardCall & GradientCall<Logits> & AsyncCall>;

export interface CallKind {
  /** Names of its options, in the order in which errors list them. */
  readonly names: { readonly host: readonly string[]; readonly device: readonly string[] };
  readonly asynchronous: boolean;
  readonly wantsGradient: boolean;
  /** The logits are gradients, of which only the statistics are wanted. */
  readonly gradientsGiven: boolean;
}

type Name = keyof GivenCall;
type Names = readonly Name[];

/** Options that are one number each, with no rule but the range that core has for them. */
export const plainNumbers = ['lossScale'] as const;

const placed: Names = ['stream', ...formatNames];
const selection: Names = ['rowWeight', 'mask', 'classMask'];
const forward: Names = ['normalizer', 'quality', ...placed, ...selection];
const forwardBackward: Names = [...forward, 'gradOutput', 'lossScale', 'collect', 'grad'];
const collect: Names = ['lossScale', ...placed, 'collect'];
const later: Names = ['signal', 'transfer'];
const forwardOnly: Names = [...forward, 'equalize'];

function kindOf(own: Names, asynchronous = false): CallKind {
  const device = asynchronous ? [...own, ...later] : own;
  return {
    names: { host: device.filter((name) => name !== 'stream'), device },
    asynchronous,
    wantsGradient: own === forwardBackward,
    gradientsGiven: own === collect,
  };
}

export const callKinds = {
  forward: kindOf(forwardOnly),
  forwardAsync: kindOf(forwardOnly, true),
  forwardBackward: kindOf(forwardBackward),
  forwardBackwardAsync: kindOf(forwardBackward, true),
  collect: kindOf(collect),
  collectAsync: kindOf(collect, true),
};

/** The same kind of object for all calls, which is quicker than one for each set of options. */
function newOptions(): Record<Name, undefined> {
  return {
    normalizer: undefined,
    quality: undefined,
    stream: undefined,
    layout: undefined,
    anchors: undefined,
    channelOrder: undefined,
    gradOutput: undefined,
    lossScale: undefined,
    collect: undefined,
    grad: undefined,
    signal: undefined,
    transfer: undefined,
    rowWeight: undefined,
    mask: undefined,
    classMask: undefined,
    equalize: undefined,
  };
}

const noOptions = newOptions();

/** The options given, each read once. */
export function readOptions(call: object | undefined, names: readonly string[]): GivenCall {
  return call === undefined ? noOptions : knownOptions('call', call, names, newOptions());
}
