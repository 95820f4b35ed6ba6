import type { Labels, Logits } from '../calls/arguments';
import { callKinds } from '../calls/call-options';
import type { AsyncCall, CollectCall } from '../calls/call-options';
import type { CollectOutput, LossOutput } from '../calls/results';
import { CudaStream } from '../cuda/cuda-stream';
import { readCheckpoint, stateName, writeCheckpoint, type StateOwner } from '../state/checkpoint';
import { equalizationOf, findingsOf, nonFiniteFinding, type Finding } from '../state/diagnosis';
import {
  checkLoadOptions,
  checkSettings,
  checkState,
  checkStatistics,
  checkSums,
  ratioRanges,
  settingsOf,
  type LoadableState,
  type LoadStateOptions,
  type State,
  type StateDict,
  type Statistics,
} from '../state/statistics';
import { newFloat64Array } from '../tensors/new-arrays';
import { checkInteger, knownOptions, reject } from '../validation';
import { Criterion } from './criterion';
import type { CriterionOptions, ResolvedCriterionOptions } from './options';

/** Options of the statistics, which every equalized criterion takes. */
export interface StatisticsOptions extends CriterionOptions {
  /**
   * Steps after which a gradient counts half: the sums are multiplied by 2^(-1 / halfLife) before
   * those of a step are added. Finite, > 0. Default: none, sums never decay, as in the official code.
   */
  readonly halfLife?: number | undefined;
  /**
   * So many steps collect statistics and leave g at its initial value. Integer from 0 to 2^31 - 1.
   * Default 0.
   */
  readonly startAfter?: number | undefined;
}

/** The options of the statistics, defaults filled in. */
export interface ResolvedStatisticsOptions extends ResolvedCriterionOptions {
  /** Undefined where the sums never decay. */
  readonly halfLife: number | undefined;
  readonly startAfter: number;
}

/** Options of {@link EqualizedFocalLoss.commit}. */
export interface CommitOptions {
  /**
   * With logits on a device: the stream the commit is put into, like a call. Default: the default
   * stream of the device that has the state.
   */
  readonly stream?: CudaStream | undefined;
}

/** Options of {@link EqualizedFocalLoss.mergeStatistics}. */
export interface MergeOptions {
  /** When the sums enter the state: `true`, now, or `'defer'`, at the next commit. Default true. */
  readonly collect?: true | 'defer' | undefined;
}

/** Options of `diagnose`. */
export interface DiagnoseOptions {
  /** What a call has returned, for its NaN and infinite logits, which the state does not count. */
  readonly output?: Pick<LossOutput, 'nonFinite'> | undefined;
}

/**
 * What the criteria share that weigh a class by the gradients it has seen: the sums of |gradient|
 * over its positives and its negatives, and r = positives / (negatives + 1e-10), which each of them
 * uses in its own way.
 *
 * The sums are kept in float64, over all steps, and only decay with a `halfLife`. A call uses the
 * ratios of the calls before it and updates them after it, whole or not at all.
 */
export abstract class EqualizedCriterion<
  Options extends ResolvedStatisticsOptions = ResolvedStatisticsOptions,
> extends Criterion<Options> {
  readonly #calls = Criterion.callsOf(this);
  /** Whose state this is. */
  readonly #owner: StateOwner;

  /** @internal */
  protected constructor(family: string, given: CriterionOptions) {
    super(family, given);
    const { loss, rule } = this.definition;
    const { numClasses } = this.options;
    this.#owner = {
      loss: stateName(loss, rule),
      numClasses,
      ratios: ratioRanges.get(rule)!,
      settings: settingsOf(this.options),
    };
  }

  /**
   * How balanced each class has been: g_j, in [0, 1], initially 1; of `EqualizationLossV2` the ratio
   * r_j itself, initially 100. A copy.
   */
  get gradientRatio(): Float64Array {
    return this.#read().pos_neg;
  }

  /** The sums behind the ratios, as of the calls that have been computed. */
  get statistics(): Statistics {
    return statisticsOf(this.#read());
  }

  /**
   * What the statistics say of the training so far, the gravest first; an empty list where there is
   * nothing to say. Waits for the calls made before. `value` is, by the `kind` of the finding:
   *
   * - `'nothing-collected'`: the steps in the state. Nothing else is found then.
   * - `'not-started'`: the steps to come that `startAfter` leaves without equalization.
   * - `'asleep'`: the least ratio of the classes with positives. All of them are balanced.
   * - `'no-positives'`: the classes that have had negatives, which are all that have had anything.
   * - `'all-rare'`: the largest ratio of the classes with positives.
   * - `'small-sums'`: the largest share by which the 1e-10 lowers the ratio of a class, above 0.01.
   * - `'without-positives'`, `'never-seen'`: how many classes there are.
   * - `'balanced'`, `'rare'`: their share of all classes, in (0, 1].
   * - `'non-finite'`: how many logits there were, of the `output` that was given.
   *
   * A class is balanced from g = 0.95 on, and rare up to 0.05; of `EqualizationLossV2` where the
   * weight of negatives, f(r), is 0.95 or 0.05.
   *
   * @throws {@link EflArgumentError} for a bad option.
   */
  diagnose(options?: DiagnoseOptions): Finding[] {
    const { output } = knownOptions('options', options, ['output']);
    const nonFinite = output === undefined ? 0 : nonFiniteOf(output);
    // Of EqualizationLossV2 alone.
    const { mapSteepness, mapMidpoint } = this.options as Record<string, unknown> & Options;
    const equalization = equalizationOf(
      this.#owner.loss,
      mapSteepness as number | undefined,
      mapMidpoint as number | undefined,
    );
    const findings = findingsOf(this.stateDict(), equalization);
    return nonFinite > 0 ? [nonFiniteFinding(nonFinite), ...findings] : findings;
  }

  /**
   * Takes the statistics from gradients that were computed elsewhere: those of the total loss by the
   * logits, in any form, layout and type that logits have. The official code's `collect_grad`. Use either this
   * or the statistics of {@link forwardBackward} (with `collect: false`), not both. NaN and infinite
   * values are left out.
   */
  collectGrad(grads: Logits, labels: Labels, call?: CollectCall): CollectOutput {
    return this.#calls.run(grads, labels, call, callKinds.collect);
  }

  /** {@link collectGrad} off the event loop, on a copy of its arguments. Every error rejects. */
  async collectGradAsync(
    grads: Logits,
    labels: Labels,
    call?: CollectCall & AsyncCall,
  ): Promise<CollectOutput> {
    return this.#calls.runAsync(grads, labels, call, callKinds.collectAsync);
  }

  /**
   * Folds in what calls with `collect: 'defer'` have kept aside since the last commit, as one step:
   * micro-batches with one common normalizer then count as one batch does. Where nothing is pending
   * it does nothing and counts no step.
   *
   * Asynchronous calls made before are waited for, as by {@link reset}; await them first to keep the
   * event loop free. With logits on a device the commit follows the calls before it in the order of
   * streams, and may be captured in a graph.
   *
   * @throws {@link EflArgumentError} for a `stream` that is none.
   */
  commit(options?: CommitOptions): void {
    const { stream } = knownOptions<CommitOptions>('options', options, ['stream']);
    if (stream !== undefined && !(stream instanceof CudaStream)) {
      reject('stream', 'a CudaStream', stream);
    }
    this.#calls.use((native) => {
      native.commit(stream?.device, stream?.native());
    });
  }

  /**
   * Calls with `collect: 'defer'` that wait for {@link commit}, as far as they have been computed;
   * those whose gradients were all 0 do not count.
   */
  get pendingCalls(): number {
    return this.#calls.use((native) => native.pendingCalls());
  }

  /**
   * The state, under the names it has in PyTorch checkpoints of the official implementation, the
   * number of steps and the options `halfLife` and `startAfter`, which these do not have. What is
   * pending is no part of it, as the gradients that an optimizer has not applied are none of a model.
   */
  stateDict(): StateDict {
    return { ...this.#readWhole(), ...this.#owner.settings };
  }

  /**
   * Takes a state over, for as many classes as this criterion has: float64 or float32 arrays, or
   * arrays of numbers, finite and >= 0, `pos_neg` in [0, 1] but for `EqualizationLossV2`. `pos_neg`
   * is what the next call uses, whether or not it follows from the sums. `prefix` finds the arrays
   * among those of a model: with `'head.'` they are `head.pos_grad` and so on, and `head.steps`,
   * where there is one. What is pending is dropped.
   *
   * @throws {@link EflArgumentError} naming the array, or, where `half_life` and `start_after` are
   * there and not those of this criterion, these; the state has not changed then.
   */
  loadStateDict(state: LoadableState, options?: LoadStateOptions): void;
  loadStateDict(state: Readonly<Record<string, unknown>>, options: LoadStateOptions): void;
  loadStateDict(state: object, options?: LoadStateOptions): void {
    const { numClasses, ratios } = this.#owner;
    const { prefix } = checkLoadOptions(options);
    const checked = checkState(state, numClasses, ratios, prefix);
    checkSettings(checked, this.#owner.settings, prefix);
    this.#restore(checked);
  }

  /**
   * Writes the state as a safetensors file (`pos_grad`, `neg_grad`, `pos_neg`, float64; the number of
   * steps, `halfLife`, `startAfter` and which loss it is of in its metadata). What is pending is no
   * part of it, as in {@link stateDict}. The file appears whole and lasting, or is left as
   * it was. A symbolic link stays one; a file that is replaced keeps its mode and, as far as the
   * process may, its owner; where the group cannot be kept, the new one gets no access.
   *
   * @throws {@link EflArgumentError} (`argument: 'path'`) where the path cannot be written, where it
   * is no regular file, or one with several names (hard links); and, with `received` that says so,
   * where the new file is in place but the system could not make that last.
   */
  saveState(path: string): void {
    writeCheckpoint(path, this.#readWhole(), this.#owner);
  }

  /**
   * Reads a file that {@link saveState} wrote, or the three vectors, in float64 or float32, of any
   * other safetensors file; of a whole model's with the `prefix` that stands before their names there.
   * The number of steps is that of a file of ours, and else 0. What is pending is dropped.
   *
   * @throws {@link EflArgumentError} (`argument: 'path'`) for a file that is missing, no regular file,
   * cut off, damaged, foreign, of another loss or of another number of classes, that was saved with
   * another `halfLife` or `startAfter`, or whose ratios contradict its sums; the state has not changed
   * then.
   */
  loadState(path: string, options?: LoadStateOptions): void {
    const { prefix } = checkLoadOptions(options);
    this.#restore(readCheckpoint(path, this.#owner, prefix));
  }

  /**
   * Adds the sums and steps of another criterion of this kind, or of its `statistics`, and updates
   * the ratios: what several threads or processes have seen of the same classes comes together here.
   * No sum decays, whatever the `halfLife`: nobody knows which steps came first. What is pending, here
   * or there, stays so. The other one stays as it is; merging it again would count it twice. The number of steps ends at
   * 2^53 - 1, and stays there.
   *
   * With `collect: 'defer'` the sums are kept aside instead, like those of a deferred call, and count
   * as one step with all others at {@link commit}: what several threads have seen of one batch.
   */
  mergeStatistics(other: EqualizedCriterion | Statistics, options?: MergeOptions): void {
    const { collect } = knownOptions<MergeOptions>('options', options, ['collect']);
    if (collect !== undefined && collect !== true && collect !== 'defer') {
      reject('collect', "true or 'defer'", collect);
    }
    const { name } = this.constructor;
    const { numClasses } = this.options;
    // What the gradients of another loss say nothing about is this one's balance.
    const criterion = EqualizedCriterion.#isOne(other) ? other : undefined;
    const isForeign = criterion && criterion.#owner.loss !== this.#owner.loss;
    if (isForeign) reject('other', `an ${name} or its statistics`, other);
    const statistics = criterion ? statisticsOf(criterion.#readWhole()) : other;
    const { positive, negative, steps } = checkStatistics(statistics, numClasses, name);
    checkSums(statisticsOf(this.#readWhole()), { positive, negative, steps });
    if (collect === 'defer') {
      this.collectSums(positive, negative, true);
      return;
    }
    this.#calls.use((native) => {
      native.merge(positive, negative, steps);
    });
  }

  /**
   * Runs `compute`, which calls this criterion, as if the ratios were still these. What it collects
   * joins the sums.
   *
   * @internal
   */
  withRatio(ratio: Float64Array, compute: () => void): void {
    const before = this.#readWhole();
    this.#useRatios(ratio);
    try {
      compute();
    } finally {
      const { steps } = this.#readWhole();
      // A step has made new ones of the sums.
      const isNew = steps > Math.max(before.steps, this.options.startAfter);
      if (!isNew) this.#useRatios(before.pos_neg);
    }
  }

  /** @internal The sums of a call that was computed elsewhere. */
  collectSums(positive: Float64Array, negative: Float64Array, defers: boolean): void {
    this.#calls.use((native) => {
      native.collect(positive, negative, defers);
    });
  }

  /** By what only the constructor gives: anything may have its prototype, or prototypes without end. */
  static #isOne(value: unknown): value is EqualizedCriterion {
    return typeof value === 'object' && value !== null && #owner in value;
  }

  /** Back to the state of a new criterion: no sums, nothing pending, every class balanced. */
  reset(): void {
    this.#calls.use((native) => {
      native.reset();
    });
  }

  /** @internal What the ratios make of each class; which factors these are depends on the loss. */
  protected readFactors(): { first: Float64Array; second: Float64Array } {
    const first = newFloat64Array(this.options.numClasses);
    const second = newFloat64Array(this.options.numClasses);
    return this.#calls.use((native) => {
      native.readFactors(first, second);
      return { first, second };
    });
  }

  #useRatios(ratio: Float64Array): void {
    this.#calls.use((native) => {
      native.useRatios(ratio);
    });
  }

  #restore({ pos_grad, neg_grad, pos_neg, steps }: State): void {
    this.#calls.use((native) => {
      native.restore(pos_grad, neg_grad, pos_neg, steps);
    });
  }

  /** The state with every call made before in it. */
  #readWhole(): State {
    this.#calls.use((native) => {
      native.waitForCalls();
    });
    return this.#read();
  }

  #read(): State {
    const { numClasses } = this.options;
    const pos_grad = newFloat64Array(numClasses);
    const neg_grad = newFloat64Array(numClasses);
    const pos_neg = newFloat64Array(numClasses);
    const steps = this.#calls.use((native) => native.readStatistics(pos_grad, neg_grad, pos_neg));
    return { pos_grad, neg_grad, pos_neg, steps };
  }
}

function statisticsOf({ pos_grad: positive, neg_grad: negative, steps }: State): Statistics {
  return { positive, negative, steps };
}

function nonFiniteOf(output: unknown): number {
  if (typeof output !== 'object' || output === null) {
    reject('output', 'what a call has returned', output);
  }
  return checkInteger('output.nonFinite', (output as Partial<LossOutput>).nonFinite, 0);
}
