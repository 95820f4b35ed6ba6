/// <reference lib="esnext.disposable" preserve="true" />
import { outcomeSlot, outcomeSlots, reductionCode, type NativeCriterion } from '../binding/addon';
import { addon } from '../binding/load';
import { EflDisposedError, EflError } from '../errors';
import { describeConvention, labelConvention, type Labels } from '../tensors/labels';
import type { Logits } from '../tensors/logits';
import { inFormOf, type FormOf } from '../tensors/tensor';
import { checkReady, copyOf, ownedValues, runAsync } from './async-call';
import {
  checkCall,
  type AsyncCall,
  type BackwardCall,
  type CheckedCall,
  type ForwardCall,
  type GradientCall,
} from './call-options';
import type { ResolvedOptions } from './options';
import { checkOutcome, type LossOutput } from './outcome';

/** What the addon fills in for one call. */
interface Outputs {
  readonly gradient: Float32Array | undefined;
  readonly elements: Float32Array | undefined;
}

type GradOutput<L extends Logits, G> = LossOutput<FormOf<L>> & { readonly grad: G };

/**
 * What all criteria share: calls, synchronous and asynchronous, and the end of their life. A
 * criterion belongs to the thread that made it.
 *
 * Synchronous calls work on the caller's memory. Asynchronous ones take a copy when they are made
 * and are computed one after another, in call order, off the event loop; a synchronous call waits
 * for those made before it.
 */
export abstract class Criterion<Options extends ResolvedOptions = ResolvedOptions> {
  /** All options, defaults filled in. */
  readonly options: Options;

  readonly #convention;
  // Synchronous calls leave their outcome here: nothing is allocated for a small call.
  readonly #outcome = new Float64Array(outcomeSlots);
  readonly #underWay = new Set<Promise<unknown>>();
  #native: NativeCriterion | undefined;

  /** @internal */
  protected constructor(options: Options, scaleFactor: number | undefined) {
    this.options = Object.freeze(options);
    const { numClasses, gamma, alpha, background, ignoreIndex, reduction, lossWeight } = options;
    this.#convention = labelConvention(background, numClasses, ignoreIndex);
    this.#native = new (addon().Criterion)(
      numClasses,
      gamma,
      alpha,
      scaleFactor ?? 0,
      scaleFactor !== undefined,
      this.#convention.firstClass,
      this.#convention.background,
      Int32Array.from(ignoreIndex),
      reductionCode[reduction],
      lossWeight,
    );
  }

  /**
   * The loss of `logits` (rows x classes) for `labels` (one for each row). Leaves the state as it is.
   *
   * @throws {@link EflArgumentError} naming the argument; for a bad label its row, as `labels[row]`.
   * @throws {@link EflDisposedError} after `dispose`.
   */
  forward<L extends Logits>(logits: L, labels: Labels, call?: ForwardCall): LossOutput<FormOf<L>> {
    const checked = this.#check(logits, labels, call, false, false);
    const outputs = { gradient: undefined, elements: this.#newElements(checked) };
    return lossOutput(checked, this.#run(checked, outputs), outputs);
  }

  /**
   * The loss and `grad`, its gradient by the logits, in one pass over them. Of an equalized criterion
   * the gradient statistics enter the state, for the calls after this one.
   *
   * `grad` comes back in the form of the logits, or is the object given as `grad`. Errors as for
   * {@link forward}; neither the state nor `grad` has changed then.
   */
  forwardBackward<L extends Logits, G extends Logits = FormOf<L>>(
    logits: L,
    labels: Labels,
    call?: BackwardCall & GradientCall<G>,
  ): GradOutput<L, G> {
    const checked = this.#check(logits, labels, call, true, false);
    const gradient = checked.grad ?? new Float32Array(checked.logits.length);
    const outputs = { gradient, elements: this.#newElements(checked) };
    return withGradient(checked, this.#run(checked, outputs), outputs, gradient);
  }

  /** {@link forward} off the event loop, on a copy of its arguments. Every error rejects. */
  async forwardAsync<L extends Logits>(
    logits: L,
    labels: Labels,
    call?: ForwardCall & AsyncCall,
  ): Promise<LossOutput<FormOf<L>>> {
    const checked = this.#check(logits, labels, call, false, true);
    const outputs = { gradient: undefined, elements: this.#newElements(checked) };
    return lossOutput(checked, await this.#submit(ownedCall(checked), outputs), outputs);
  }

  /** {@link forwardBackward} off the event loop, on a copy of its arguments. Every error rejects. */
  async forwardBackwardAsync<L extends Logits, G extends Logits = FormOf<L>>(
    logits: L,
    labels: Labels,
    call?: BackwardCall & GradientCall<G> & AsyncCall,
  ): Promise<GradOutput<L, G>> {
    const checked = this.#check(logits, labels, call, true, true);
    const elements = this.#newElements(checked);
    // The gradient is computed in place, over the call's own copy of the logits.
    const owned = ownedCall(checked);
    const outputs = { gradient: owned.logits, elements };
    const outcome = await this.#submit(owned, outputs);
    if (checked.grad) copyInto(checked.grad, owned.logits);
    return withGradient(checked, outcome, outputs, owned.logits);
  }

  /**
   * Resolves when every call made before has been computed and is in the state. Rejects with
   * {@link EflDisposedError} where the criterion has been disposed of, or is meanwhile.
   */
  async synchronize(): Promise<void> {
    this.native();
    await Promise.allSettled(this.#underWay);
    this.native();
  }

  /**
   * Frees the criterion's memory. Calls that wait are rejected with {@link EflDisposedError}; one
   * that is being computed is waited for. Doing it twice is harmless; not doing it leaves the memory
   * to the garbage collector.
   */
  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  protected native(): NativeCriterion {
    if (!this.#native) throw new EflDisposedError(this.constructor.name);
    return this.#native;
  }

  /** @internal Throws what an outcome reports. */
  protected checkOutcome(outcome: Float64Array): void {
    checkOutcome(outcome, () => describeConvention(this.#convention, this.options.numClasses));
  }

  /** @internal Submits a call and waits until it is done; until then `synchronize` waits for it. */
  protected async finish(
    signal: AbortSignal | undefined,
    submit: (outcome: Float64Array, done: () => void) => number,
  ): Promise<Float64Array> {
    const call = runAsync(this.constructor.name, signal, submit);
    this.#underWay.add(call);
    try {
      const outcome = await call;
      this.checkOutcome(outcome);
      return outcome;
    } finally {
      this.#underWay.delete(call);
    }
  }

  #check(
    logits: Logits,
    labels: Labels,
    call: object | undefined,
    backward: boolean,
    asynchronous: boolean,
  ): CheckedCall {
    this.native(); // before anything else is looked at: the criterion itself must be usable
    const checked = checkCall(logits, labels, call, this.options, { backward, asynchronous });
    if (asynchronous) checkReady(checked.signal);
    return checked;
  }

  #newElements({ logits }: CheckedCall): Float32Array | undefined {
    return this.options.reduction === 'none' ? new Float32Array(logits.length) : undefined;
  }

  #run(call: CheckedCall, outputs: Outputs): Float64Array {
    this.native().run(...addonArguments(call, outputs), this.#outcome);
    this.checkOutcome(this.#outcome);
    return this.#outcome;
  }

  #submit(call: CheckedCall, outputs: Outputs): Promise<Float64Array> {
    const native = this.native();
    return this.finish(call.signal, (slots, done) =>
      native.submit(...addonArguments(call, outputs), slots, done),
    );
  }
}

function lossOutput<L extends Logits>(
  { given }: CheckedCall,
  outcome: Float64Array,
  { elements }: Outputs,
): LossOutput<FormOf<L>> {
  // Written out, here and below: spreading objects costs a small call a good part of its time.
  const output: { -readonly [K in keyof LossOutput<FormOf<L>>]: LossOutput<FormOf<L>>[K] } = {
    loss: outcome[outcomeSlot.loss]!,
    positives: outcome[outcomeSlot.positives]!,
    ignored: outcome[outcomeSlot.ignored]!,
    nonFinite: outcome[outcomeSlot.nonFinite]!,
  };
  if (elements) output.elements = inFormOf(given, elements) as FormOf<L>;
  return output;
}

function withGradient<L extends Logits, G extends Logits>(
  call: CheckedCall,
  outcome: Float64Array,
  outputs: Outputs,
  gradient: Float32Array,
): GradOutput<L, G> {
  const output = lossOutput<L>(call, outcome, outputs) as LossOutput<FormOf<L>> & { grad: G };
  output.grad = (call.gradGiven ?? inFormOf(call.given, gradient)) as G;
  return output;
}

function addonArguments(call: CheckedCall, { gradient, elements }: Outputs) {
  return [
    call.logits,
    call.labels,
    gradient,
    elements,
    call.gradOutput,
    call.normalizer,
    call.upstream,
    call.lossScale,
    call.collect,
  ] as const;
}

/** The same call on memory that nobody else can change, move or free while it waits. */
function ownedCall(call: CheckedCall): CheckedCall {
  // The logits last: the others may be views of the buffer that is taken over.
  const labels = new Int32Array(call.labels);
  const gradOutput = call.gradOutput && copyOf(call.gradOutput);
  return { ...call, labels, gradOutput, logits: ownedValues(call.logits, call.transfer) };
}

/** Into an array that the caller could have transferred away in the meantime. */
function copyInto(grad: Float32Array, gradient: Float32Array): void {
  if (grad.length !== gradient.length) {
    throw new EflError(
      'EFL_GRAD_DETACHED',
      'grad was detached or resized while the call was under way: its gradient is lost, ' +
        'and its statistics are in the state',
    );
  }
  grad.set(gradient);
}
