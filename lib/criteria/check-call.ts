import type { PerLevel, Values } from '../binding/addon';
import { counterpart, elementValues, gradientValues } from '../tensors/counterparts';
import { readGiven } from '../tensors/foreign';
import { checkLabels, type Labels } from '../tensors/labels';
import { checkFormat, formatNames, type RowWidth } from '../tensors/layout';
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
import { checkReady } from './async-call';
import type { AsyncCall, BackwardCall, CollectCall, GradientCall } from './call-options';
import {
  checkLossScale,
  checkNormalizer,
  checkScale,
  checkSignal,
  checkUpstream,
  isPerElement,
} from './call-scalars';
import type { ResolvedCriterionOptions } from './options';
import { checkTransfer } from './owned-values';

/** What calls have to know of their criterion. */
export interface CallRules extends RowWidth {
  readonly options: ResolvedCriterionOptions;
  /** Whether labels come with a quality. */
  readonly takesQuality: boolean;
}

/** A call, checked and in the addon's terms. Its arrays are still the caller's. */
export interface CheckedCall {
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

const forwardNames = ['normalizer', 'quality', ...formatNames];
const backwardNames = [...forwardNames, 'gradOutput', 'lossScale', 'collect', 'grad'];
const collectNames = ['lossScale', ...formatNames];
const asyncNames = ['signal', 'transfer'];

/** Which of the four kinds of call is being made. */
export interface CallKind {
  readonly backward: boolean;
  readonly asynchronous: boolean;
}

export function checkCall(
  logits: Logits,
  labels: Labels | Targets,
  call: object | undefined,
  rules: CallRules,
  kind: CallKind,
): CheckedCall {
  const allowed = namesOf(kind.backward ? backwardNames : forwardNames, kind.asynchronous);
  const given = knownOptions<AnyCall>('call', call, allowed);
  const { reduction, lossWeight } = rules.options;
  const levels = checkLogits('logits', logits, checkFormat(given), rules);
  const read = counterpart('labels', labels, levels, readGiven);
  const dense = areTargets(read);
  const perElement = isPerElement(given.gradOutput, reduction);
  const checked: CheckedCall = {
    logits: levels,
    values: valuesOf(levels),
    geometry: geometryOf('logits', levels),
    labels: dense ? undefined : checkLabels(read, levels),
    targets: dense ? checkTargets(read, levels) : undefined,
    quality: qualityOf(given.quality, levels, rules.takesQuality && !dense),
    gradGiven: given.grad,
    grad: optional('grad', given.grad, levels, gradientValues),
    upstream: perElement ? 1 : checkUpstream(given.gradOutput, reduction),
    gradOutput: perElement
      ? counterpart('gradOutput', given.gradOutput, levels, elementValues)
      : undefined,
    normalizer: checkNormalizer(given.normalizer, reduction),
    lossScale: checkLossScale(given.lossScale),
    collect: booleanOption('collect', given.collect, true),
    signal: checkSignal(given.signal),
    transfer: booleanOption('transfer', given.transfer, false),
  };
  checkScale(lossWeight, checked.upstream, checked.lossScale, checked.normalizer);
  if (kind.asynchronous) checkReady(checked.signal);
  // From here on no code of the caller runs: what is seen now is what the addon gets.
  checkPresence(checked, levels);
  checkOverlaps(checked);
  if (checked.transfer) checkTransfer(checked.values, checked.grad);
  return checked;
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
  asynchronous: boolean,
): CheckedCollect {
  const allowed = namesOf(collectNames, asynchronous);
  const given = knownOptions<CollectCall & AsyncCall>('call', call, allowed);
  const levels = checkLogits('grads', gradients, checkFormat(given), rules);
  const checked: CheckedCollect = {
    gradients: valuesOf(levels),
    labels: checkLabels(labels, levels),
    geometry: geometryOf('grads', levels),
    lists: Array.isArray(gradients),
    scale: 1 / Math.abs(checkLossScale(given.lossScale)),
    signal: checkSignal(given.signal),
    transfer: booleanOption('transfer', given.transfer, false),
  };
  if (asynchronous) checkReady(checked.signal);
  rejectVanished('grads', checked.gradients, levels.tensors);
  rejectVanished('labels', checked.labels, levels.tensors, levels.columns);
  if (checked.transfer) checkTransfer(checked.gradients, undefined);
  return checked;
}

/** The caller's own code, of a getter for example, can have taken memory away after it was checked. */
function checkPresence(checked: CheckedCall, { tensors, columns }: CheckedLogits): void {
  rejectVanished('logits', checked.values, tensors);
  rejectVanished('labels', checked.labels, tensors, columns);
  rejectVanished('labels', checked.targets, tensors);
  rejectVanished('quality', checked.quality, tensors, columns);
  rejectVanished('grad', checked.grad, tensors);
  rejectVanished('gradOutput', checked.gradOutput, tensors);
}

function namesOf(names: readonly string[], asynchronous: boolean): readonly string[] {
  return asynchronous ? [...names, ...asyncNames] : names;
}

/** The gradient of a level may be its logits or its gradOutput, and shares no other memory. */
function checkOverlaps({ values, labels, targets, quality, grad, gradOutput }: CheckedCall): void {
  if (!grad) return;
  rejectPartialOverlap('grad', grad, 'logits', values);
  if (labels) rejectOverlap('grad', grad, 'labels', labels);
  if (targets) rejectOverlap('grad', grad, 'targets', targets);
  if (quality) rejectOverlap('grad', grad, 'quality', quality);
  if (gradOutput) rejectPartialOverlap('grad', grad, 'gradOutput', gradOutput);
  rejectOverlapAmong('grad', grad);
}
