import { alphaFactor, focalElement } from './element';

// As constants: a look at a global is slow in the sandbox of the test runner.
const { abs, max, min } = Math;
const { isFinite, isInteger } = Number;

export type Background = 'first' | 'last' | 'none';
export type Reduction = 'sum' | 'mean' | 'none';

export interface ReferenceOptions {
  readonly numClasses: number;
  readonly gamma?: number | undefined;
  readonly alpha?: number | undefined;
  readonly scaleFactor?: number | undefined;
  readonly background?: Background | undefined;
  readonly ignoreIndex?: number | readonly number[] | undefined;
  readonly reduction?: Reduction | undefined;
  readonly lossWeight?: number | undefined;
}

export interface ReferenceCall {
  readonly normalizer?: number | 'positives' | undefined;
  readonly gradOutput?: number | ArrayLike<number> | undefined;
  readonly lossScale?: number | undefined;
  readonly collect?: boolean | undefined;
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
  /** Sums of this call alone: |d(loss)/d(logit) gradOutput| by class. */
  readonly positive: Float64Array;
  readonly negative: Float64Array;
  /** The largest factor on a modulated element: scale of the error where float32 underflows. */
  readonly largestFactor: number;
}

export interface ReferenceState {
  readonly pos_grad: ArrayLike<number>;
  readonly neg_grad: ArrayLike<number>;
  readonly pos_neg: ArrayLike<number>;
}

type Row = 'ignored' | 'background' | number;

/** What a label means: the column of its class, background or ignored. Others are an error. */
export function rowOf(label: number, options: ReferenceOptions): Row {
  const { numClasses, background = 'first', ignoreIndex = -1 } = options;
  const ignored = typeof ignoreIndex === 'number' ? [ignoreIndex] : ignoreIndex;
  if (ignored.includes(label)) {
    return 'ignored';
  }
  const backgroundLabel = { first: 0, last: numClasses, none: undefined }[background];
  if (label === backgroundLabel) {
    return 'background';
  }
  const column = background === 'first' ? label - 1 : label;
  if (!isInteger(column) || column < 0 || column >= numClasses) {
    throw new RangeError(`label ${label} is neither a class, background nor ignored`);
  }
  return column;
}

/**
 * Whole calls, slow and plain. With `equalized` it keeps the state g_j: a call uses the g of the
 * calls before it and updates g afterwards. Without, every class has gamma and weight 1.
 */
export class ReferenceCriterion {
  readonly positive: Float64Array;
  readonly negative: Float64Array;
  readonly ratio: Float64Array;
  steps = 0;
  private readonly options: ReferenceOptions;
  private readonly equalized: boolean;

  constructor(options: ReferenceOptions, equalized: boolean) {
    this.options = options;
    this.equalized = equalized;
    this.positive = new Float64Array(options.numClasses);
    this.negative = new Float64Array(options.numClasses);
    this.ratio = new Float64Array(options.numClasses).fill(1);
  }

  focusing(column: number): number {
    const { gamma = 2, scaleFactor = 8 } = this.options;
    return this.equalized ? gamma + scaleFactor * (1 - this.ratio[column]!) : gamma;
  }

  weighting(column: number): number {
    return this.equalized ? this.focusing(column) / (this.options.gamma ?? 2) : 1;
  }

  load(state: ReferenceState): void {
    this.positive.set(state.pos_grad);
    this.negative.set(state.neg_grad);
    this.ratio.set(state.pos_neg);
  }

  forward(
    logits: ArrayLike<number>,
    labels: ArrayLike<number>,
    call: ReferenceCall = {},
  ): ReferenceOutput {
    return this.compute(logits, labels, call);
  }

  forwardBackward(
    logits: ArrayLike<number>,
    labels: ArrayLike<number>,
    call: ReferenceCall = {},
  ): ReferenceOutput {
    const output = this.compute(logits, labels, call);
    if (this.equalized && call.collect !== false && labels.length > output.ignored) {
      this.accumulate(output.positive, output.negative);
    }
    return output;
  }

  collectGrad(grads: ArrayLike<number>, labels: ArrayLike<number>, lossScale = 1): ReferenceCounts {
    const { numClasses } = this.options;
    const rows = Array.from(labels, (label) => rowOf(label, this.options));
    const positive = new Float64Array(numClasses);
    const negative = new Float64Array(numClasses);
    let nonFinite = 0;
    rows.forEach((row, i) => {
      for (let j = 0; row !== 'ignored' && j < numClasses; j += 1) {
        const size = abs(grads[i * numClasses + j]! / lossScale);
        if (isFinite(size)) {
          const sums = row === j ? positive : negative;
          sums[j] = sums[j]! + size;
        } else {
          nonFinite += 1;
        }
      }
    });
    const counts = { ...countRows(rows), nonFinite };
    if (rows.length > counts.ignored) {
      this.accumulate(positive, negative);
    }
    return counts;
  }

  private compute(
    logits: ArrayLike<number>,
    labels: ArrayLike<number>,
    call: ReferenceCall,
  ): ReferenceOutput {
    const { numClasses, alpha = 0.25, lossWeight = 1, reduction = 'sum' } = this.options;
    const { gradOutput = 1, lossScale = 1 } = call;
    const rows = Array.from(labels, (label) => rowOf(label, this.options));
    const counts = countRows(rows);
    const divisor = this.divisor(call, rows.length - counts.ignored, counts.positives);
    const factor = (reduction === 'none' ? 1 : 1 / divisor) * lossWeight;

    const elements = new Float64Array(rows.length * numClasses);
    const grad = new Float64Array(rows.length * numClasses);
    const positive = new Float64Array(numClasses);
    const negative = new Float64Array(numClasses);
    let total = 0;
    let nonFinite = 0;
    let largestFactor = 0;
    rows.forEach((row, i) => {
      for (let j = 0; row !== 'ignored' && j < numClasses; j += 1) {
        const at = i * numClasses + j;
        const x = logits[at]!;
        const isPositive = row === j;
        const weight = alphaFactor(alpha, isPositive) * this.weighting(j);
        const element = focalElement(x, isPositive, this.focusing(j), weight);
        const upstream = typeof gradOutput === 'number' ? gradOutput : gradOutput[at]!;
        const gradient = element.gradient * factor * upstream;
        elements[at] = element.loss * lossWeight;
        grad[at] = gradient * lossScale;
        total += element.loss;
        largestFactor = max(largestFactor, abs(weight * factor * upstream * lossScale));
        if (isFinite(x)) {
          const sums = isPositive ? positive : negative;
          sums[j] = sums[j]! + abs(gradient);
        } else {
          nonFinite += 1;
        }
      }
    });
    const loss = total * factor;
    return { ...counts, loss, nonFinite, elements, grad, positive, negative, largestFactor };
  }

  private divisor(call: ReferenceCall, validRows: number, positives: number): number {
    if (this.options.reduction === 'mean') {
      return max(1, validRows * this.options.numClasses);
    }
    const { normalizer = 1 } = call;
    return normalizer === 'positives' ? max(1, positives) : normalizer;
  }

  private accumulate(positive: Float64Array, negative: Float64Array): void {
    for (let j = 0; j < this.ratio.length; j += 1) {
      this.positive[j] = this.positive[j]! + positive[j]!;
      this.negative[j] = this.negative[j]! + negative[j]!;
      this.ratio[j] = min(1, max(0, this.positive[j]! / (this.negative[j]! + 1e-10)));
    }
    this.steps += 1;
  }
}

function countRows(rows: readonly Row[]): { positives: number; ignored: number } {
  return {
    positives: rows.filter((row) => typeof row === 'number').length,
    ignored: rows.filter((row) => row === 'ignored').length,
  };
}
