/// <reference lib="esnext.disposable" preserve="true" />
import {
  callSlot,
  outcomeSlot,
  type NativeCriterion,
  type PerLevel,
  type Values,
} from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative, nativeFailure } from '../binding/native-failure';
import { areOnDevice, checkDeviceCall, type DeviceLogits } from '../calls/device-call';
import type { CallReport } from '../calls/device-output';
import { rejectReading } from '../cuda/capture';
import { runOnDevice } from '../calls/run-on-device';
import { EflDisposedError } from '../errors';
import {
  elementsInFormOf,
  inFormOf,
  newElements,
  newValues,
  type ElementsOf,
  type FormOf,
} from '../tensors/form';
import { describeConvention, labelConvention, type Labels } from '../tensors/labels';
import { isList } from '../tensors/levels';
import type { Logits } from '../tensors/logits';
import { freeSpare, withMemory, type BlockUser } from '../tensors/spare-memory';
import type { Targets } from '../tensors/targets';
import { fix } from '../validation';
import { runAsync } from '../binding/executor';
import {
  bytesOf,
  bytesOfFloat32,
  withCallMemory,
  type Arrays,
  type CallMemory,
} from '../calls/call-memory';
import { copyBack } from '../calls/copy-back';
import type { AsyncCall, BackwardCall, ForwardCall, GradientCall } from '../calls/call-options';
import {
  callKinds,
  checkCall,
  type CallArrays,
  type CallKind,
  type CallRules,
  type CheckedCall,
} from '../calls/check-call';
import { nameOfState, nativeSettings, type LossDefinition } from './loss-definition';
import type { ResolvedCriterionOptions } from './options';
import { isOk, outcomeError, type LossOutput } from '../calls/outcome';
import { takenValues } from '../calls/owned-values';

/** What the addon fills in for one call. */
interface Outputs {
  readonly gradient: PerLevel<Values> | undefined;
  readonly elements: PerLevel<Float32Array> | undefined;
}

type GradOutput<L extends Logits, G> = LossOutput<L> & { readonly grad: G };

/**
 * What all criteria share: calls, synchronous and asynchronous, and the end of their life. A
 * criterion belongs to the thread that made it.
 *
 * Synchronous calls work on the caller's memory. Asynchronous ones take a copy when they are made
 * and are computed one after another, in call order, off the event loop; a synchronous call waits
 * for those made before it.
 */
export abstract class Criterion<
  Options extends ResolvedCriterionOptions = ResolvedCriterionOptions,
> {
  /** All options, defaults filled in. */
  readonly options: Options;

  /** @internal What the loss is, for those who compute it otherwise. */
  readonly definition: LossDefinition;

  readonly #convention;
  readonly #underWay = new Set<Promise<unknown>>();
  #native: NativeCriterion | undefined;
  // Of the last call on a device.
  #lastReport: CallReport | undefined;

  /** @internal What the calls of this criterion have to look like. */
  protected readonly rules: CallRules;

  /** @internal For whom the memory of copies is kept. */
  protected readonly copies: BlockUser = { disposed: false };

  /** @internal */
  protected constructor(options: Options, definition: LossDefinition) {
    this.options = Object.freeze(options);
    this.definition = Object.freeze(definition);
    const { numClasses, background, ignoreIndex } = options;
    this.rules = Object.freeze({
      options,
      numClasses,
      columns: definition.objectness ? numClasses + 1 : numClasses,
      takesQuality: definition.loss === 'qualityFocal',
    });
    fix(this, 'options', 'definition', 'rules');
    this.#convention = labelConvention(background, numClasses, ignoreIndex);
    const settings = nativeSettings(options, definition, this.#convention);
    this.#native = withMemory(() => new (addon().Criterion)(settings), nameOfState(options));
  }

  /**
   * The loss of `logits` for `labels`, one for each row, or for dense targets in [0, 1], one for each
   * logit. Leaves the state as it is.
   *
   * `logits` are rows x classes, or what {@link ForwardCall} says: see {@link Layout}. A list of
   * tensors, one for each level of a feature pyramid, is one call; labels, targets and whatever else
   * has a value for each row or logit are then lists, too.
   *
   * @throws {@link EflArgumentError} naming the argument; for a bad value its place, as `labels[row]`,
   * `targets[element]` or, in a list, `labels[level][row]`.
   * @throws {@link EflDisposedError} after `dispose`.
   */
  forward<L extends Logits>(
    logits: L,
    labels: Labels | Targets,
    call?: ForwardCall,
  ): LossOutput<L> {
    if (areOnDevice(logits)) return this.#runOnDevice<L>(logits, labels, call, false).output;
    const checked = this.#check(logits, labels, call, callKinds.forward);
    const outputs = { gradient: undefined, elements: this.#newElements(checked) };
    return lossOutput(checked.arrays, this.#run(checked, outputs), outputs);
  }

  /**
   * The loss and `grad`, its gradient by the logits, in one pass over them. Of an equalized criterion
   * the gradient statistics enter the state, for the calls after this one.
   *
   * `grad` comes back in the form, layout and type of the logits, or is the object given as `grad`.
   * Errors as for {@link forward}; neither the state nor `grad` has changed then.
   */
  forwardBackward<L extends Logits, G extends Logits = FormOf<L>>(
    logits: L,
    labels: Labels | Targets,
    call?: BackwardCall & GradientCall<G>,
  ): GradOutput<L, G> {
    if (areOnDevice(logits)) {
      return this.#runOnDevice<L>(logits, labels, call, true).output as GradOutput<L, G>;
    }
    const checked = this.#check(logits, labels, call, callKinds.forwardBackward);
    const { grad, logits: levels } = checked.arrays;
    const gradient = grad ?? newValues(levels.tensors);
    const outputs = { gradient, elements: this.#newElements(checked) };
    return withGradient(checked.arrays, this.#run(checked, outputs), outputs, gradient);
  }

  /**
   * {@link forward} off the event loop, on a copy of its arguments. Every error rejects. With logits
   * on a device, which are not copied, the promise is that of the call's end.
   */
  async forwardAsync<L extends Logits>(
    logits: L,
    labels: Labels | Targets,
    call?: ForwardCall & AsyncCall,
  ): Promise<LossOutput<L>> {
    if (areOnDevice(logits)) return this.#awaitDevice<L>(logits, labels, call, false);
    const checked = this.#check(logits, labels, call, callKinds.forwardAsync);
    return this.#withMemory(checked, checked.transfer, async (memory) => {
      const outputs = { gradient: undefined, elements: this.#newElements(checked) };
      const outcome = await this.#submit(ownedCall(checked, memory), outputs);
      return lossOutput(checked.arrays, outcome, outputs);
    });
  }

  /** {@link forwardBackward} off the event loop, on a copy of its arguments. Every error rejects. */
  async forwardBackwardAsync<L extends Logits, G extends Logits = FormOf<L>>(
    logits: L,
    labels: Labels | Targets,
    call?: BackwardCall & GradientCall<G> & AsyncCall,
  ): Promise<GradOutput<L, G>> {
    if (areOnDevice(logits)) {
      return this.#awaitDevice<L>(logits, labels, call, true) as Promise<GradOutput<L, G>>;
    }
    const checked = this.#check(logits, labels, call, callKinds.forwardBackwardAsync);
    const { transfer } = checked;
    const { grad, logits: levels } = checked.arrays;
    // The caller keeps the gradient, so that it cannot be where the copies of the next call go.
    const isNew = !transfer && !grad;
    return this.#withMemory(checked, transfer || isNew, async (memory) => {
      const elements = this.#newElements(checked);
      const result = isNew ? newValues(levels.tensors) : undefined;
      const owned = ownedCall(checked, memory);
      const { values } = owned.arrays;
      const outputs = { gradient: result ?? values, elements };
      const outcome = await this.#submit(owned, outputs);
      if (grad) await copyBack(values, grad);
      return withGradient(checked.arrays, outcome, outputs, outputs.gradient);
    });
  }

  /**
   * Resolves when every call made before has been computed and is in the state. Rejects with
   * {@link EflDisposedError} where the criterion has been disposed of, or is meanwhile.
   */
  async synchronize(): Promise<void> {
    this.native();
    rejectReading();
    await Promise.allSettled([...this.#underWay, this.#lastReport?.arrived()]);
    this.native();
  }

  /**
   * Frees the criterion's memory, some 80 bytes a class, and what it keeps for the copies of
   * asynchronous calls. Calls that wait are rejected with {@link EflDisposedError}; one that is being
   * computed is waited for. Doing it twice is harmless. Not doing it leaves the memory to the garbage
   * collector, and that gives most of it back only when the event loop turns: dispose of criteria
   * that are made in a synchronous loop.
   */
  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
    this.copies.disposed = true;
    freeSpare(this.copies);
    this.#lastReport = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  protected native(): NativeCriterion {
    if (!this.#native) throw new EflDisposedError(this.constructor.name);
    return this.#native;
  }

  /** @internal Uses the native criterion, whose state may be on a device. */
  protected withNative<T>(body: (native: NativeCriterion) => T): T {
    return fromNative(() => body(this.native()));
  }

  /** @internal What a label of this criterion may be, for error messages. */
  protected expectedLabel(): string {
    return describeConvention(this.#convention, this.options.numClasses);
  }

  /** @internal Remembers a call on a device, for `synchronize` to wait for. */
  protected calledDevice(report: CallReport): void {
    this.#lastReport = report;
  }

  /** @internal Submits a call and waits until it is done; until then `synchronize` waits for it. */
  protected async finish(
    signal: AbortSignal | undefined,
    lists: boolean,
    submit: (outcome: Float64Array, done: () => void) => number,
  ): Promise<Float64Array> {
    const call = runAsync(this.constructor.name, signal, submit);
    this.#underWay.add(call);
    try {
      const outcome = await call;
      if (!isOk(outcome)) throw outcomeError(outcome, lists, this.expectedLabel());
      return outcome;
    } finally {
      this.#underWay.delete(call);
    }
  }

  #runOnDevice<L extends Logits>(
    logits: DeviceLogits,
    labels: Labels | Targets,
    call: object | undefined,
    backward: boolean,
    asynchronous = false,
  ): { report: CallReport; output: LossOutput<L> } {
    this.native(); // as in #check; and again below, since getters may have disposed of the criterion
    const kind = { backward, asynchronous };
    const checked = checkDeviceCall(logits, labels, call, this.rules, kind);
    const { report, output } = runOnDevice(() => this.native(), checked, {
      gradient: backward,
      elements: this.options.reduction === 'none',
      expectedLabel: this.expectedLabel(),
    });
    this.calledDevice(report);
    return { report, output: output as unknown as LossOutput<L> };
  }

  async #awaitDevice<L extends Logits>(
    logits: DeviceLogits,
    labels: Labels | Targets,
    call: object | undefined,
    backward: boolean,
  ): Promise<LossOutput<L>> {
    rejectReading();
    const { report, output } = this.#runOnDevice<L>(logits, labels, call, backward, true);
    await report.arrived();
    return output;
  }

  #check(
    logits: Logits,
    labels: Labels | Targets,
    call: object | undefined,
    kind: CallKind,
  ): CheckedCall {
    this.native(); // before anything else is looked at: the criterion itself must be usable
    return checkCall(logits, labels, call, this.rules, kind);
  }

  #newElements({ arrays: { logits } }: CheckedCall): PerLevel<Float32Array> | undefined {
    return this.options.reduction === 'none' ? newElements(logits.tensors) : undefined;
  }

  /** For an asynchronous call; `holdsMore`: as much as the logits, beside the copies. */
  #withMemory<T>(
    call: CheckedCall,
    holdsMore: boolean,
    body: (memory: CallMemory) => Promise<T>,
  ): Promise<T> {
    const elements = this.options.reduction === 'none' ? bytesOfFloat32(call.arrays.values) : 0;
    const more = elements + (holdsMore ? bytesOf([call.arrays.values]) : 0);
    return withCallMemory(this.copies, copiedOf(call), more, body);
  }

  #run(call: CheckedCall, { gradient, elements }: Outputs): Float64Array {
    // The arguments one by one, as below: an array of them would cost a small call an allocation.
    const { values, labels, gradOutput, quality, targets, geometry } = call.arrays;
    const { Criterion, numbers } = addon();
    this.#writeNumbers(numbers, call);
    try {
      if (elements || gradOutput || quality || targets || geometry) {
        Criterion.run(values, labels, gradient, elements, gradOutput, quality, targets, geometry);
      } else if (gradient) {
        Criterion.run(values, labels, gradient);
      } else {
        Criterion.run(values, labels);
      }
    } catch (error) {
      throw nativeFailure(error);
    }
    if (!isOk(numbers)) throw outcomeError(numbers, isList(values), this.expectedLabel());
    return numbers;
  }

  #submit(call: CheckedCall, { gradient, elements }: Outputs): Promise<Float64Array> {
    const { values, labels, gradOutput, quality, targets, geometry } = call.arrays;
    return this.finish(call.signal, isList(values), (slots, done) =>
      this.withNative((native) => {
        this.#writeNumbers(addon().numbers, call);
        return native.submit(
          values,
          labels,
          gradient,
          elements,
          gradOutput,
          quality,
          targets,
          geometry,
          slots,
          done,
        );
      }),
    );
  }

  #writeNumbers(
    numbers: Float64Array,
    { normalizer, upstream, lossScale, collect }: CheckedCall,
  ): void {
    numbers[callSlot.criterion] = this.native().number;
    numbers[callSlot.normalizer] = normalizer;
    numbers[callSlot.upstream] = upstream;
    numbers[callSlot.lossScale] = lossScale;
    numbers[callSlot.collect] = collect ? 1 : 0;
  }
}

function lossOutput<L extends Logits>(
  { logits }: CallArrays,
  outcome: Float64Array,
  { elements }: Outputs,
): LossOutput<L> {
  // Written out, here and below: spreading objects costs a small call a good part of its time.
  const output: { -readonly [K in keyof LossOutput<L>]: LossOutput<L>[K] } = {
    loss: outcome[outcomeSlot.loss]! as LossOutput<L>['loss'],
    positives: outcome[outcomeSlot.positives]!,
    ignored: outcome[outcomeSlot.ignored]!,
    nonFinite: outcome[outcomeSlot.nonFinite]!,
  };
  if (elements) output.elements = elementsInFormOf(logits.tensors, elements) as ElementsOf<L>;
  return output;
}

function withGradient<L extends Logits, G extends Logits>(
  arrays: CallArrays,
  outcome: Float64Array,
  outputs: Outputs,
  gradient: PerLevel<Values>,
): GradOutput<L, G> {
  const output = lossOutput<L>(arrays, outcome, outputs) as LossOutput<L> & { grad: G };
  output.grad = (arrays.gradGiven ?? inFormOf(arrays.logits.tensors, gradient)) as G;
  return output;
}

/** What of a call is copied. */
function copiedOf({ arrays, transfer }: CheckedCall): Arrays {
  const { values, labels, targets, quality, gradOutput } = arrays;
  return [labels, targets, quality, gradOutput, transfer ? undefined : values];
}

/** The same call on memory that nobody else can change, move or free while it waits. */
function ownedCall(call: CheckedCall, memory: CallMemory): CheckedCall {
  const { values, labels, targets, quality, gradOutput } = call.arrays;
  const arrays = {
    ...call.arrays,
    labels: labels && memory.copy(labels),
    targets: targets && memory.copy(targets),
    quality: quality && memory.copy(quality),
    gradOutput: gradOutput && memory.copy(gradOutput),
    // The last: the others may be views of a buffer that is taken over.
    values: call.transfer ? takenValues(values) : memory.copy(values),
  };
  return { ...call, arrays };
}
