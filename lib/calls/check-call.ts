import type { PerLevel } from '../binding/addon';
import { checkSignal } from '../binding/cancellation';
import { checkReady } from '../binding/executor';
import { CudaTensor } from '../cuda/cuda-tensor';
import { counterpart, type CheckOne } from '../tensors/counterparts';
import { checkFormat } from '../tensors/layout';
import { levelAt } from '../tensors/levels';
import { checkLogits, geometryOf, valuesOf, type CheckedLogits } from '../tensors/logits';
import { rejectOverlap, rejectOverlapAmong, rejectPartialOverlap } from '../tensors/memory';
import { booleanOption, reject } from '../validation';
import type { ArgumentReader } from './argument-reader';
import type { CallKind, GivenCall } from './call-options';
import {
  checkNumbers,
  collectOf,
  equalizeOf,
  isPerElement,
  normalizerOf,
  numberOf,
} from './call-numbers';
import type {
  CallArrays,
  CallOwner,
  CallRules,
  CheckedCall,
  OnDevice,
  OnHost,
  Reduction,
} from './checked-call';

/** A call of any kind, its arguments where `reader` finds them. */
export function checkCall<Place extends OnHost | OnDevice>(
  reader: ArgumentReader<Place>,
  owner: CallOwner,
  logits: unknown,
  labels: unknown,
  given: GivenCall,
  rules: CallRules,
  kind: CallKind,
): CheckedCall<Place> {
  const { asynchronous, gradientsGiven, wantsGradient } = kind;
  const { reduction } = rules;
  const arrays = checkArrays(reader, logits, labels, given, rules, gradientsGiven);
  const checked: CheckedCall<Place> = {
    given,
    arrays,
    wantsGradient,
    wantsElements: reduction === 'none' && !gradientsGiven,
    gradientsGiven,
    upstream: upstreamOf(reader, given, arrays),
    normalizer: divisorOf(reader, given, arrays, reduction),
    collect: collectOf(given.collect, gradientsGiven),
    equalize: equalizeOf(given.equalize),
    signal: checkSignal(given.signal),
    transfer: booleanOption('transfer', given.transfer, false),
    stream: reader.stream?.(given.stream, arrays.logits),
  };
  checkNumbers(owner, checked);
  if (asynchronous) checkReady(checked.signal);
  // From here on no code of the caller runs: what is seen now is what the addon gets.
  checkOverlaps(reader, checked);
  reader.lastLook?.(checked);
  return checked;
}

/** Each argument by itself, whatever form it has. */
function checkArrays<Place extends OnHost | OnDevice>(
  reader: ArgumentReader<Place>,
  logits: unknown,
  labels: unknown,
  given: GivenCall,
  rules: CallRules,
  gradientsGiven: boolean,
): CallArrays<Place> {
  const argument = gradientsGiven ? 'grads' : 'logits';
  const levels = checkLogits(argument, logits, checkFormat(given), rules, reader.logits);
  const read = counterpart('labels', labels, levels, reader.labelsOrTargets);
  // With a list of logits the first of the list tells.
  const dense = !gradientsGiven && reader.areTargets(levelAt(read, 0));
  const needsQuality = rules.takesQuality && !dense && !gradientsGiven;
  const perElement = isPerElement(given.gradOutput, rules.reduction);
  return {
    logits: levels,
    values: valuesOf(levels),
    geometry: geometryOf(argument, levels),
    labels: dense ? undefined : counterpart('labels', read, levels, reader.labels),
    // The parameter's name, which is what the caller sees.
    targets: dense ? counterpart('labels', read, levels, reader.targets) : undefined,
    quality: qualityOf(reader, given.quality, levels, needsQuality),
    gradGiven: given.grad,
    grad: optional('grad', given.grad, levels, reader.grad),
    gradOutput: optional(
      'gradOutput',
      perElement ? given.gradOutput : undefined,
      levels,
      reader.gradOutput,
    ),
    rowWeight: optional('rowWeight', given.rowWeight, levels, reader.rowWeight),
    mask: optional('mask', given.mask, levels, reader.mask),
    classMask:
      given.classMask === undefined
        ? undefined
        : reader.classMask('classMask', given.classMask, rules.numClasses, levels),
  };
}

function optional<T, Data>(
  argument: string,
  value: unknown,
  logits: CheckedLogits<Data>,
  check: CheckOne<T, Data>,
): PerLevel<T> | undefined {
  return value === undefined ? undefined : counterpart(argument, value, logits, check);
}

function qualityOf<Place extends OnHost | OnDevice>(
  reader: ArgumentReader<Place>,
  quality: unknown,
  logits: CheckedLogits<Place['logits']>,
  needed: boolean,
): PerLevel<Place['floats']> | undefined {
  if (needed) return counterpart('quality', quality, logits, reader.quality);
  if (quality !== undefined) {
    reject('quality', 'none, but with labels in a call of a quality loss', quality);
  }
  return undefined;
}

function upstreamOf<Place extends OnHost | OnDevice>(
  reader: ArgumentReader<Place>,
  { gradOutput }: GivenCall,
  arrays: CallArrays<Place>,
): number | CudaTensor {
  if (arrays.gradOutput) return 1;
  const isObject = typeof gradOutput === 'object' && gradOutput !== null;
  return isObject && reader.scalar
    ? reader.scalar('gradOutput', gradOutput, arrays.logits)
    : numberOf(gradOutput, 1);
}

function divisorOf<Place extends OnHost | OnDevice>(
  reader: ArgumentReader<Place>,
  { normalizer }: GivenCall,
  arrays: CallArrays<Place>,
  reduction: Reduction,
): CheckedCall['normalizer'] {
  return reader.scalar && normalizer instanceof CudaTensor && reduction === 'sum'
    ? reader.scalar('normalizer', normalizer, arrays.logits)
    : normalizerOf(normalizer, reduction);
}

/** The gradient of a level may be its logits, and shares no memory with what is read besides. */
function checkOverlaps<Place extends OnHost | OnDevice>(
  reader: ArgumentReader<Place>,
  { arrays, normalizer, upstream }: CheckedCall<Place>,
): void {
  const { values, labels, targets, quality, grad, gradOutput } = arrays;
  const { rowWeight, mask, classMask } = arrays;
  if (!grad) return;
  rejectPartialOverlap('grad', grad, 'logits', values, reader);
  rejectOverlap('grad', grad, 'labels', labels, reader);
  rejectOverlap('grad', grad, 'targets', targets, reader);
  rejectOverlap('grad', grad, 'quality', quality, reader);
  rejectOverlap('grad', grad, 'rowWeight', rowWeight, reader);
  rejectOverlap('grad', grad, 'mask', mask, reader);
  rejectOverlap('grad', grad, 'classMask', classMask, reader);
  const rejectGradOutput = reader.overGradOutput ? rejectPartialOverlap : rejectOverlap;
  rejectGradOutput('grad', grad, 'gradOutput', gradOutput, reader);
  if (typeof upstream === 'object') rejectOverlap('grad', grad, 'gradOutput', upstream, reader);
  if (typeof normalizer === 'object') rejectOverlap('grad', grad, 'normalizer', normalizer, reader);
  rejectOverlapAmong('grad', grad, reader);
}
