/** The kinds of calls, and which options each of them takes. */
import { formatNames } from '../tensors/layout';
import { knownOptions } from '../validation';
import type { GivenCall } from './checked-call';

export interface CallKind {
  /** Names of its options, in the order in which errors list them. */
  readonly names: { readonly host: readonly string[]; readonly device: readonly string[] };
  readonly asynchronous: boolean;
  readonly wantsGradient: boolean;
  /** The logits are gradients, of which only the statistics are wanted. */
  readonly gradientsGiven: boolean;
}

type Names = readonly (keyof GivenCall)[];

const placed: Names = ['stream', ...formatNames];
const forward: Names = ['normalizer', 'quality', ...placed];
const forwardBackward: Names = [...forward, 'gradOutput', 'lossScale', 'collect', 'grad'];
const collect: Names = ['lossScale', ...placed];
const later: Names = ['signal', 'transfer'];

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
  forward: kindOf(forward),
  forwardAsync: kindOf(forward, true),
  forwardBackward: kindOf(forwardBackward),
  forwardBackwardAsync: kindOf(forwardBackward, true),
  collect: kindOf(collect),
  collectAsync: kindOf(collect, true),
};

/** The same kind of object for all calls, which is quicker than one for each set of options. */
function newOptions(): Record<keyof GivenCall, undefined> {
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
  };
}

const noOptions = newOptions();

/** The options given, each read once. */
export function readOptions(call: object | undefined, names: readonly string[]): GivenCall {
  return call === undefined ? noOptions : knownOptions('call', call, names, newOptions());
}
