/** The kinds of calls, and which options each of them takes. */
import { formatNames } from '../tensors/layout';

export interface CallKind {
  /** Names of its options, in the order in which errors list them. */
  readonly names: { readonly host: readonly string[]; readonly device: readonly string[] };
  readonly asynchronous: boolean;
  readonly wantsGradient: boolean;
  /** The logits are gradients, of which only the statistics are wanted. */
  readonly gradientsGiven: boolean;
}

const placed = ['stream', ...formatNames];
const forward = ['normalizer', 'quality', ...placed];
const forwardBackward = [...forward, 'gradOutput', 'lossScale', 'collect', 'grad'];
const collect = ['lossScale', ...placed];
const later = ['signal', 'transfer'];

function kindOf(own: readonly string[], asynchronous = false): CallKind {
  const device = asynchronous ? [...own, ...later] : own;
  return {
    names: { host: device.filter((name) => name !== 'stream'), device },
    asynchronous,
    wantsGradient: own === forwardBackward,
    gradientsGiven: own === collect,
  };
}

export const callKinds = {
  forward: kindOf(forward),
  forwardAsync: kindOf(forward, true),
  forwardBackward: kindOf(forwardBackward),
  forwardBackwardAsync: kindOf(forwardBackward, true),
  collect: kindOf(collect),
  collectAsync: kindOf(collect, true),
};

export const optionNames: readonly string[] = [...forwardBackward, ...later];
