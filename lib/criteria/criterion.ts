/// <reference lib="esnext.disposable" preserve="true" />
import type { LossDefinition } from '../binding/addon';
import { addon } from '../binding/load';
import { fromNative } from '../binding/native-failure';
import type { Labels, Logits, Targets } from '../calls/arguments';
import { callKinds } from '../calls/call-options';
import type { AsyncCall, BackwardCall, ForwardCall, GradientCall } from '../calls/call-options';
import { Calls } from '../calls/calls';
import type { FormOf, LossOutput } from '../calls/results';
import { labelConvention } from '../tensors/labels';
import { withMemory } from '../tensors/spare-memory';
import { fix } from '../validation';
import {
  nameOfState,
  resolveOptions,
  type CriterionOptions,
  type ResolvedCriterionOptions,
} from './options';

/** @internal What the elements of each column are computed with. */
export interface ColumnValues {
  readonly gamma: Float32Array;
  /** Weights. */
  readonly positive: Float32Array;
  readonly negative: Float32Array;
  readonly foreground: Float32Array;
  /** A logit; undefined where negatives weigh the same in all rows. */
  readonly foregroundThreshold: number | undefined;
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

  readonly #calls: Calls;

  /** @internal `family` is the class in this package that the loss is of. */
  protected constructor(family: string, given: CriterionOptions) {
    const { options, native: nativeOptions } = resolveOptions<Options>(family, given);
    const { numClasses, reduction } = options;
    const { Criterion: Native } = addon();
    const native = fromNative(() =>
      withMemory(() => new Native(family, nativeOptions), nameOfState(numClasses)),
    );
    this.options = Object.freeze(options);
    this.definition = Object.freeze(native.definition);
    const { columns, takesQuality } = this.definition;
    this.#calls = new Calls(native, this.constructor.name, {
      reduction,
      convention: labelConvention(options.background, numClasses, options.ignoreIndex),
      numClasses,
      columns,
      takesQuality,
    });
    fix(this, 'options', 'definition');
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
    return this.#calls.run(logits, labels, call, callKinds.forward) as LossOutput<L>;
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
    return this.#calls.run(logits, labels, call, callKinds.forwardBackward) as GradOutput<L, G>;
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
    const output = await this.#calls.runAsync(logits, labels, call, callKinds.forwardAsync);
    return output as LossOutput<L>;
  }

  /** {@link forwardBackward} off the event loop, on a copy of its arguments. Every error rejects. */
  async forwardBackwardAsync<L extends Logits, G extends Logits = FormOf<L>>(
    logits: L,
    labels: Labels | Targets,
    call?: BackwardCall & GradientCall<G> & AsyncCall,
  ): Promise<GradOutput<L, G>> {
    const output = await this.#calls.runAsync(logits, labels, call, callKinds.forwardBackwardAsync);
    return output as GradOutput<L, G>;
  }

  /**
   * Resolves when every call made before has been computed and is in the state. Rejects with
   * {@link EflDisposedError} where the criterion has been disposed of, or is meanwhile.
   */
  async synchronize(): Promise<void> {
    await this.#calls.synchronize();
  }

  /** @internal Throws for a normalizer or an upstream gradient that no call may have. */
  checkNumbers(given: Pick<BackwardCall, 'normalizer' | 'gradOutput'>): void {
    this.#calls.checkNumbers(given);
  }

  /**
   * @internal What the next call is computed with, one value for each column; `foreground` of
   * negatives in rows with a class, where these weigh nothing below the threshold.
   */
  readParameters(): ColumnValues {
    const { columns } = this.definition;
    const [gamma, positive, negative, foreground] = [1, 2, 3, 4].map(
      () => new Float32Array(columns),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const foregroundThreshold = this.#calls.use((native) =>
      native.readParameters(gamma, positive, negative, foreground),
    );
    return { gamma, positive, negative, foreground, foregroundThreshold };
  }

  /**
   * Frees the criterion's memory, some 80 bytes a class, and what it keeps for the copies of
   * asynchronous calls. Calls that wait are rejected with {@link EflDisposedError}; one that is being
   * computed is waited for. Doing it twice is harmless. Not doing it leaves the memory to the garbage
   * collector, and that gives most of it back only when the event loop turns: dispose of criteria
   * that are made in a synchronous loop.
   */
  dispose(): void {
    this.#calls.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal For criteria that have a state: its calls, and its native part. */
  protected static callsOf(criterion: Criterion): Calls {
    return criterion.#calls;
  }
}
