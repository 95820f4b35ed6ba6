import type { PerLevel, Values } from '../binding/addon';
import { counterpart, elementValues, gradientValues } from '../tensors/counterparts';
import { readGiven } from '../tensors/foreign';
import { checkLabels, type Labels } from '../tensors/labels';
import { checkFormat, formatNames, type RowWidth } from '../tensors/layout';
import { isList } from '../tensors/levels';
import {
  checkLogits,
  geometryOf,
  valuesOf,
  type CheckedLogits,
  type Logits,
} from '../tensors/logits';
import {
  rejectOverlap,
  rejectOverlapAmong,
  rejectPartialOverlap,
  rejectVanished,
} from '../tensors/memory';
import { checkQuality } from '../tensors/quality';
import { areTargets, checkTargets, type Targets } from '../tensors/targets';
import { booleanOption, knownOptions, reject } from '../validation';
import { checkReady } from '../binding/executor';
import type { AsyncCall, BackwardCall, GradientCall } from './call-options';
import {
  checkLossScale,
  checkNormalizer,
  checkScale,
  checkSignal,
  checkUpstream,
  isPerElement,
} from './call-scalars';
import type { ResolvedCriterionOptions } from '../criteria/options';
import { checkTransfer } from './owned-values';
import { plainArrays } from './plain-arrays';

/** What calls have to know of their criterion. */
export interface CallRules extends RowWidth {
  readonly options: ResolvedCriterionOptions;
  /** Whether labels come with a quality. */
  readonly takesQuality: boolean;
}

/** The arrays of a call, checked and in the addon's terms. They are still the caller's. */
export interface CallArrays {
  /** The logits as they were given, for the form of the results, and their values. */
  readonly logits: CheckedLogits;
  readonly values: PerLevel<Values>;
  readonly geometry: Int32Array | undefined;
  /** Either labels or targets. */
  readonly labels: PerLevel<Int32Array> | undefined;
  readonly targets: PerLevel<Float32Array> | undefined;
  readonly quality: PerLevel<Float32Array> | undefined;
  /** The object the caller gave for the gradient, and its values. */
  readonly gradGiven: Logits | undefined;
  readonly grad: PerLevel<Values> | undefined;
  readonly gradOutput: PerLevel<Float32Array> | undefined;
}

/** A call, likewise. */
export interface CheckedCall {
  readonly arrays: CallArrays;
  readonly normalizer: number;
  readonly upstream: number;
  readonly lossScale: number;
  readonly collect: boolean;
  readonly signal: AbortSignal | undefined;
  readonly transfer: boolean;
}

/** Gradients for their statistics, likewise. */
export interface CheckedCollect {
  readonly gradients: PerLevel<Values>;
  readonly labels: PerLevel<Int32Array>;
  readonly geometry: Int32Array | undefined;
  readonly lists: boolean;
  readonly scale: number;
  readonly signal: AbortSignal | undefined;
  readonly transfer: boolean;
}

type AnyCall = BackwardCall & GradientCall<Logits> & AsyncCall;

/** The options of a call, each read once. */
export type GivenCall = Partial<AnyCall>;

const forwardNames = ['normalizer', 'quality', ...formatNames];
const backwardNames = [...forwardNames, 'gradOutput', 'lossScale', 'collect', 'grad'];
const collectNames = ['lossScale', ...formatNames];
const asyncNames = ['signal', 'transfer'];

/** A kind of call: what may be said of one. */
export interface CallKind {
  readonly names: readonly string[];
  readonly asynchronous: boolean;
}

export const callKinds = {
  forward: { names: forwardNames, asynchronous: false },
  forwardAsync: { names: [...forwardNames, ...asyncNames], asynchronous: true },
  forwardBackward: { names: backwardNames, asynchronous: false },
  forwardBackwardAsync: { names: [...backwardNames, ...asyncNames], asynchronous: true },
  collect: { names: collectNames, asynchronous: false },
  collectAsync: { names: [...collectNames, ...asyncNames], asynchronous: true },
} as const satisfies Record<string, CallKind>;

function readCall(call: object | undefined, { names }: CallKind): GivenCall {
  return knownOptions<AnyCall>('call', call, names, {
    normalizer: undefined,
    quality: undefined,
    layout: undefined,
    anchors: undefined,
    channelOrder: undefined,
    gradOutput: undefined,
    lossScale: undefined,
    collect: undefined,
    grad: undefined,
    signal: undefined,
    transfer: undefined,
  });
}

export function checkCall(
  logits: Logits,
  labels: Labels | Targets,
  call: object | undefined,
  rules: CallRules,
  kind: CallKind,
): CheckedCall {
  const given = readCall(call, kind);
  const { reduction, lossWeight } = rules.options;
  const plain = kind.asynchronous ? undefined : plainArrays(logits, labels, given, rules);
  const arrays = plain ?? checkArrays(logits, labels, given, rules);
  const checked: CheckedCall = {
    arrays,
    upstream: arrays.gradOutput ? 1 : checkUpstream(given.gradOutput, reduction),
    normalizer: checkNormalizer(given.normalizer, reduction),
    lossScale: checkLossScale(given.lossScale),
    collect: booleanOption('collect', given.collect, true),
    signal: checkSignal(given.signal),
    transfer: booleanOption('transfer', given.transfer, false),
  };
  checkScale(lossWeight, checked.upstream, checked.lossScale, checked.normalizer);
  if (plain) return checked;
  if (kind.asynchronous) checkReady(checked.signal);
  // From here on no code of the caller runs: what is seen now is what the addon gets.
  checkPresence(arrays);
  checkOverlaps(arrays);
  if (checked.transfer) checkTransfer(arrays.values, arrays.grad);
  return checked;
}

/** Each argument by itself, whatever form it has. */
function checkArrays(
  logits: Logits,
  labels: Labels | Targets,
  given: GivenCall,
  rules: CallRules,
): CallArrays {
  const levels = checkLogits('logits', logits, checkFormat(given), rules);
  const read = counterpart('labels', labels, levels, readGiven);
  const dense = areTargets(read);
  return {
    logits: levels,
    values: valuesOf(levels),
    geometry: geometryOf('logits', levels),
    labels: dense ? undefined : checkLabels(read, levels),
    targets: dense ? checkTargets(read, levels) : undefined,
    quality: qualityOf(given.quality, levels, rules.takesQuality && !dense),
    gradGiven: given.grad,
    grad: optional('grad', given.grad, levels, gradientValues),
    gradOutput: isPerElement(given.gradOutput, rules.options.reduction)
      ? counterpart('gradOutput', given.gradOutput, levels, elementValues)
      : undefined,
  };
}

function optional(
  argument: string,
  value: unknown,
  logits: CheckedLogits,
  check: typeof gradientValues,
): PerLevel<Values> | undefined {
  return value === undefined ? undefined : counterpart(argument, value, logits, check);
}

function qualityOf(
  quality: unknown,
  logits: CheckedLogits,
  needed: boolean,
): PerLevel<Float32Array> | undefined {
  if (needed) return checkQuality(quality, logits);
  if (quality !== undefined) {
    reject('quality', 'none, but with labels in a call of a quality loss', quality);
  }
  return undefined;
}

export function checkCollect(
  gradients: Logits,
  labels: Labels,
  call: object | undefined,
  rules: CallRules,
  kind: CallKind,
): CheckedCollect {
  const given = readCall(call, kind);
  const plain = kind.asynchronous ? undefined : plainArrays(gradients, labels, given, rules);
  const arrays = plain ?? checkCollected(gradients, labels, given, rules);
  const { logits, values, geometry } = arrays;
  const checked: CheckedCollect = {
    gradients: values,
    labels: arrays.labels!,
    geometry,
    lists: isList(values),
    scale: 1 / Math.abs(checkLossScale(given.lossScale)),
    signal: checkSignal(given.signal),
    transfer: booleanOption('transfer', given.transfer, false),
  };
  if (plain) return checked;
  if (kind.asynchronous) checkReady(checked.signal);
  rejectVanished('grads', checked.gradients, logits.tensors);
  rejectVanished('labels', checked.labels, logits.tensors, logits.columns);
  if (checked.transfer) checkTransfer(checked.gradients, undefined);
  return checked;
}

function checkCollected(
  gradients: Logits,
  labels: Labels,
  given: GivenCall,
  rules: CallRules,
): Pick<CallArrays, 'logits' | 'values' | 'labels' | 'geometry'> {
  const levels = checkLogits('grads', gradients, checkFormat(given), rules);
  return {
    logits: levels,
    values: valuesOf(levels),
    labels: checkLabels(labels, levels),
    geometry: geometryOf('grads', levels),
  };
}

/** The caller's own code, of a getter for example, can have taken memory away after it was checked. */
function checkPresence(arrays: CallArrays): void {
  const { tensors, columns } = arrays.logits;
  rejectVanished('logits', arrays.values, tensors);
  rejectVanished('labels', arrays.labels, tensors, columns);
  rejectVanished('labels', arrays.targets, tensors);
  rejectVanished('quality', arrays.quality, tensors, columns);
  rejectVanished('grad', arrays.grad, tensors);
  rejectVanished('gradOutput', arrays.gradOutput, tensors);
}

/** The gradient of a level may be its logits or its gradOutput, and shares no other memory. */
function checkOverlaps({ values, labels, targets, quality, grad, gradOutput }: CallArrays): void {
  if (!grad) return;
  rejectPartialOverlap('grad', grad, 'logits', values);
  if (labels) rejectOverlap('grad', grad, 'labels', labels);
  if (targets) rejectOverlap('grad', grad, 'targets', targets);
  if (quality) rejectOverlap('grad', grad, 'quality', quality);
  if (gradOutput) rejectPartialOverlap('grad', grad, 'gradOutput', gradOutput);
  rejectOverlapAmong('grad', grad);
}
