import type { SoftElementResult, Weights } from './element';
import { KINDS } from './kinds';
import type { ClassFactors, Kind, KindOptions, LossKind } from './kinds';
import { columnsOf, rowOf, rowsOf } from './targets';
import type { TargetOptions, TargetRow, Targets } from './targets';

// As constants: a look at a global is slow in the sandbox of the test runner.
const { abs, max } = Math;
const { isFinite } = Number;

export type Reduction = 'sum' | 'mean' | 'none';

export interface ReferenceOptions extends TargetOptions, KindOptions {
  readonly alpha?: number | ArrayLike<number> | undefined;
  readonly classWeight?: ArrayLike<number> | undefined;
  readonly posWeight?: number | ArrayLike<number> | undefined;
  readonly reduction?: Reduction | undefined;
  readonly lossWeight?: number | undefined;
}

export interface ReferenceCall {
  readonly quality?: ArrayLike<number> | undefined;
  readonly normalizer?: number | 'positives' | 'weights' | undefined;
  readonly gradOutput?: number | ArrayLike<number> | undefined;
  readonly lossScale?: number | undefined;
  readonly collect?: boolean | 'defer' | undefined;
  readonly equalize?: boolean | undefined;
  /** A factor for each row; 0 makes it an ignored one. */
  readonly rowWeight?: ArrayLike<number> | undefined;
  /** 0: left out, for each element, and for each class. */
  readonly mask?: ArrayLike<number> | undefined;
  readonly classMask?: ArrayLike<number> | undefined;
}

export interface ReferenceCounts {
  readonly positives: number;
  readonly ignored: number;
  readonly nonFinite: number;
}

export interface ReferenceOutput extends ReferenceCounts {
  readonly loss: number;
  readonly elements: Float64Array;
  readonly grad: Float64Array;
  /** What the errors of elements, gradient and sums are measured by; see SoftElementResult. */
  readonly elementScale: Float64Array;
  readonly gradScale: Float64Array;
  readonly positiveScale: Float64Array;
  readonly negativeScale: Float64Array;
  /** Sums of this call alone: |d(loss)/d(logit) gradOutput| by class. */
  readonly positive: Float64Array;
  readonly negative: Float64Array;
  /** The largest factor on a modulated element: scale of the error where float32 underflows. */
  readonly largestFactor: number;
  /** Whether an element counted: what a call without one gathers changes no state. */
  readonly counted: boolean;
}

export interface ReferenceState {
  readonly pos_grad: ArrayLike<number>;
  readonly neg_grad: ArrayLike<number>;
  readonly pos_neg: ArrayLike<number>;
}

const OBJECTNESS: ClassFactors = { gamma: 0, positive: 1, negative: 1 };

/**
 * Whole calls, slow and plain. A loss with state keeps a ratio for each class: a call uses the
 * ratios of the calls before it and updates them afterwards.
 */
export class ReferenceCriterion {
  readonly positive: Float64Array;
  readonly negative: Float64Array;
  readonly ratio: Float64Array;
  steps = 0;
  /** Sums of each deferred call that has not been committed. */
  private pending: (readonly [positive: Float64Array, negative: Float64Array])[] = [];
  private readonly options: ReferenceOptions;
  private readonly kind: Kind;

  constructor(options: ReferenceOptions, kind: LossKind) {
    this.options = options;
    this.kind = KINDS[kind];
    this.positive = new Float64Array(options.numClasses);
    this.negative = new Float64Array(options.numClasses);
    this.ratio = new Float64Array(options.numClasses).fill(this.kind.ratio?.initial ?? NaN);
  }

  /** gamma and the factors on the weights of a column, objectness included. */
  factors(column: number, equalize = true): ClassFactors {
    const { kind, options } = this;
    if (column === options.numClasses) return kind.objectness?.(options) ?? OBJECTNESS;
    const ratio = equalize ? this.ratio[column]! : (kind.ratio?.initial ?? NaN);
    return kind.factors(options, ratio, column);
  }

  load(state: ReferenceState): void {
    this.positive.set(state.pos_grad);
    this.negative.set(state.neg_grad);
    this.ratio.set(state.pos_neg);
  }

  forward(logits: ArrayLike<number>, targets: Targets, call: ReferenceCall = {}): ReferenceOutput {
    return this.compute(logits, targets, call);
  }

  forwardBackward(
    logits: ArrayLike<number>,
    targets: Targets,
    call: ReferenceCall = {},
  ): ReferenceOutput {
    const output = this.compute(logits, targets, call);
    if (call.collect === 'defer') this.pending.push([output.positive, output.negative]);
    else if (call.collect !== false && output.counted) {
      this.accumulate(output.positive, output.negative);
    }
    return output;
  }

  /** All deferred calls as one step. */
  commit(): void {
    const total = (place: 0 | 1): Float64Array =>
      this.positive.map((_, j) => this.pending.reduce((sum, call) => sum + call[place][j]!, 0));
    if (this.pending.length > 0) this.accumulate(total(0), total(1));
    this.pending = [];
  }

  collectGrad(grads: ArrayLike<number>, labels: ArrayLike<number>, lossScale = 1): ReferenceCounts {
    const { numClasses } = this.options;
    const columns = columnsOf(this.options);
    const rows = Array.from(labels, (label) => rowOf(label, this.options));
    const positive = new Float64Array(numClasses);
    const negative = new Float64Array(numClasses);
    let nonFinite = 0;
    rows.forEach((row, i) => {
      for (let j = 0; row !== 'ignored' && j < columns; j += 1) {
        const size = abs(grads[i * columns + j]! / lossScale);
        if (!isFinite(size)) {
          nonFinite += 1;
        } else if (j < numClasses) {
          const sums = row === j ? positive : negative;
          sums[j] = sums[j]! + size;
        }
      }
    });
    const counts = {
      positives: rows.filter((row) => typeof row === 'number').length,
      ignored: rows.filter((row) => row === 'ignored').length,
      nonFinite,
    };
    if (rows.length > counts.ignored) {
      this.accumulate(positive, negative);
    }
    return counts;
  }

  private compute(
    logits: ArrayLike<number>,
    targets: Targets,
    call: ReferenceCall,
  ): ReferenceOutput {
    const { numClasses, lossWeight = 1, reduction = 'sum' } = this.options;
    const { gradOutput = 1, lossScale = 1, quality } = call;
    const columns = columnsOf(this.options);
    const weightOf = (row: number): number => call.rowWeight?.[row] ?? 1;
    const isKept = (row: number, column: number): boolean =>
      call.mask?.[row * columns + column] !== 0 &&
      (column >= numClasses || call.classMask?.[column] !== 0);
    const rows = rowsOf(
      targets,
      this.options,
      this.kind.positiveShare,
      quality,
      isKept,
      this.kind.zeroIsNegative,
    ).map((row, i): TargetRow => (weightOf(i) === 0 ? { ...row, state: 'ignored' } : row));
    const isPositive = ({ state, column }: TargetRow, i: number): boolean =>
      state === 'foreground' && (column === undefined || isKept(i, column));
    const positives = [...rows.keys()].filter((i) => isPositive(rows[i]!, i));
    const counts = {
      positives: positives.length,
      ignored: rows.filter(({ state }) => state === 'ignored').length,
    };
    const counted = countWhere(rows.length * columns, (at) => {
      const column = at % columns;
      const row = (at - column) / columns;
      return rows[row]!.state !== 'ignored' && isKept(row, column);
    });
    const weights = positives.reduce((sum, i) => sum + weightOf(i), 0);
    const divisor = this.divisor(call, counted, counts.positives, weights);
    const factor = (reduction === 'none' ? 1 : 1 / divisor) * lossWeight;

    const perElement = (): Float64Array => new Float64Array(rows.length * columns);
    const perClass = (): Float64Array => new Float64Array(numClasses);
    const elements = perElement();
    const grad = perElement();
    const elementScale = perElement();
    const gradScale = perElement();
    const positive = perClass();
    const negative = perClass();
    const positiveScale = perClass();
    const negativeScale = perClass();
    let total = 0;
    let nonFinite = 0;
    let largestFactor = 0;
    rows.forEach((row, i) => {
      for (let j = 0; row.state !== 'ignored' && j < columns; j += 1) {
        const at = i * columns + j;
        if (!isKept(i, j)) continue;
        const x = logits[at]!;
        const upstream = typeof gradOutput === 'number' ? gradOutput : gradOutput[at]!;
        const { element, largestWeight } = weighed(
          this.element(x, row, j, call.equalize),
          weightOf(i),
        );
        const gradient = element.gradient * factor * upstream;
        const scale = abs(element.gradientScale * factor * upstream);
        elements[at] = element.loss * lossWeight;
        elementScale[at] = abs(element.lossScale * lossWeight);
        grad[at] = gradient * lossScale;
        gradScale[at] = abs(scale * lossScale);
        total += element.loss;
        const weight = abs(largestWeight * factor * upstream * lossScale);
        largestFactor = isFinite(weight) ? max(largestFactor, weight) : largestFactor;
        if (!isFinite(x)) {
          nonFinite += 1;
        } else if (j < numClasses) {
          const share = row.share(j);
          positive[j]! += share * abs(gradient);
          negative[j]! += (1 - share) * abs(gradient);
          positiveScale[j]! += share * scale;
          negativeScale[j]! += (1 - share) * scale;
        }
      }
    });
    return {
      ...counts,
      nonFinite,
      loss: total * factor,
      elements,
      grad,
      elementScale,
      gradScale,
      positive,
      negative,
      positiveScale,
      negativeScale,
      largestFactor,
      counted: counted > 0,
    };
  }

  /** One element and the larger one of its weights. */
  private element(x: number, row: TargetRow, column: number, equalize?: boolean): WeighedElement {
    const { gamma, ...factors } = this.factors(column, equalize);
    const base = this.weights(x, row, column);
    const positive = base.positive * factors.positive;
    const negative = base.negative * factors.negative;
    const element = this.kind.element(x, {
      y: row.target(column),
      isPositive: row.isPositive(column),
      gamma,
      weights: { positive, negative },
      options: this.options,
    });
    return { element, largestWeight: max(positive, negative) };
  }

  private weights(x: number, { state }: TargetRow, column: number): Weights {
    const { options, kind } = this;
    if (column === options.numClasses) {
      return OBJECTNESS;
    }
    const { alpha = kind.alpha, classWeight, posWeight = 1 } = options;
    const { positive, negative } = kind.alphaWeights(
      typeof alpha === 'number' ? alpha : alpha[column]!,
    );
    const weight = classWeight?.[column] ?? 1;
    const onState =
      state === 'foreground'
        ? kind.onForeground?.(options, column, x)
        : kind.onBackground?.(options, column);
    const ofPositives = typeof posWeight === 'number' ? posWeight : posWeight[column]!;
    return {
      positive: positive * weight * ofPositives,
      negative: negative * weight * (onState ?? 1),
    };
  }

  private divisor(
    call: ReferenceCall,
    counted: number,
    positives: number,
    weights: number,
  ): number {
    if (this.options.reduction === 'mean') {
      return max(1, counted);
    }
    const { normalizer = 1 } = call;
    if (normalizer === 'weights') {
      return positives > 0 ? weights : 1;
    }
    return normalizer === 'positives' ? max(1, positives) : normalizer;
  }

  private accumulate(positive: Float64Array, negative: Float64Array): void {
    const { ratio } = this.kind;
    if (ratio === undefined) {
      return;
    }
    const { halfLife = Infinity, startAfter = 0 } = this.options;
    const decay = 2 ** (-1 / halfLife);
    this.steps += 1;
    for (let j = 0; j < this.ratio.length; j += 1) {
      this.positive[j] = this.positive[j]! * decay + positive[j]!;
      this.negative[j] = this.negative[j]! * decay + negative[j]!;
      if (this.steps > startAfter) this.ratio[j] = ratio.of(this.positive[j]!, this.negative[j]!);
    }
  }
}

interface WeighedElement {
  readonly element: SoftElementResult;
  readonly largestWeight: number;
}

/** Everything that is proportional to the weight of the row. */
function weighed({ element, largestWeight }: WeighedElement, weight: number): WeighedElement {
  return {
    element: {
      loss: element.loss * weight,
      gradient: element.gradient * weight,
      lossScale: element.lossScale * weight,
      gradientScale: element.gradientScale * weight,
    },
    largestWeight: largestWeight * weight,
  };
}

function countWhere(length: number, isCounted: (at: number) => boolean): number {
  let count = 0;
  for (let at = 0; at < length; at += 1) count += isCounted(at) ? 1 : 0;
  return count;
}
