/**
 * The official Equalized Focal Loss, operation by operation in float64: plain sigmoid, log and pow,
 * a one-hot target on C + 1 columns, the derivative by the chain rule through each operation, and
 * the statistics gathered afterwards from the gradient that arrives. Right where it is finite:
 * not beyond logits of about 12, where 1 - p loses its digits.
 */

type Matrix = readonly (readonly number[])[];

export interface OfficialSettings {
  /** Counts the background, as the official option does. */
  readonly numClasses: number;
  readonly focalGamma?: number;
  readonly focalAlpha?: number;
  readonly scaleFactor?: number;
  readonly ignoreIndex?: number;
  readonly lossWeight?: number;
}

export class OfficialListing {
  posGrad: number[];
  negGrad: number[];
  posNeg: number[];
  private target: Matrix = [];
  private mask: readonly boolean[] = [];
  private readonly settings: Required<OfficialSettings>;

  constructor(settings: OfficialSettings) {
    this.settings = {
      focalGamma: 2,
      focalAlpha: 0.25,
      scaleFactor: 8,
      ignoreIndex: -1,
      lossWeight: 1,
      ...settings,
    };
    const columns = settings.numClasses - 1;
    this.posGrad = new Array<number>(columns).fill(0);
    this.negGrad = new Array<number>(columns).fill(0);
    this.posNeg = new Array<number>(columns).fill(1);
  }

  /** Loss and its gradient by the logits; ignored rows are masked out and have gradient 0. */
  forward(
    logits: Matrix,
    labels: readonly number[],
    normalizer = 1,
  ): { loss: number; grad: number[][] } {
    const { numClasses, focalGamma, focalAlpha, scaleFactor, ignoreIndex, lossWeight } =
      this.settings;
    this.mask = labels.map((label) => label !== ignoreIndex);
    const expanded = labels.map((label) => {
      const row = new Array<number>(numClasses).fill(0);
      row[label < 0 ? label + numClasses : label] = 1;
      return row.slice(1);
    });
    this.target = expanded.filter((_, i) => this.mask[i]);
    const inputs = logits.filter((_, i) => this.mask[i]);

    const focusing = this.posNeg.map((g) => focalGamma + scaleFactor * (1 - g));
    const weighting = focusing.map((gamma) => gamma / focalGamma);

    let total = 0;
    const upstream = lossWeight / normalizer;
    const grad = inputs.map((row, i) =>
      row.map((x, j) => {
        const t = this.target[i]![j]!;
        const gamma = focusing[j]!;
        const alphaT = focalAlpha >= 0 ? focalAlpha * t + (1 - focalAlpha) * (1 - t) : 1;
        const p = 1 / (1 + Math.exp(-x));
        const pt = p * t + (1 - p) * (1 - t);
        const crossEntropy = -Math.log(pt);
        const modulator = Math.pow(1 - pt, gamma);
        total += crossEntropy * modulator * weighting[j]! * alphaT;

        const byEntropy = modulator * weighting[j]! * alphaT * upstream;
        const byModulator = crossEntropy * weighting[j]! * alphaT * upstream;
        const byPt = -byEntropy / pt - byModulator * gamma * Math.pow(1 - pt, gamma - 1);
        const byP = byPt * (t - (1 - t));
        return byP * p * (1 - p);
      }),
    );
    const zeros = new Array<number>(numClasses - 1).fill(0);
    let next = 0;
    return {
      loss: (total / normalizer) * lossWeight,
      grad: this.mask.map((valid) => (valid ? grad[next++]! : [...zeros])),
    };
  }

  /** The gradient hook: `grad` is what arrived at the logits of the last forward, all its rows. */
  collectGrad(grad: Matrix): void {
    const sizes = grad.filter((_, i) => this.mask[i]).map((row) => row.map(Math.abs));
    const columnSum = (of: (t: number) => number): number[] =>
      this.posNeg.map((_, j) =>
        sizes.reduce((sum, row, i) => sum + row[j]! * of(this.target[i]![j]!), 0),
      );
    const pos = columnSum((t) => t);
    const neg = columnSum((t) => 1 - t);
    this.posGrad = this.posGrad.map((sum, j) => sum + pos[j]!);
    this.negGrad = this.negGrad.map((sum, j) => sum + neg[j]!);
    this.posNeg = this.posGrad.map((sum, j) =>
      Math.min(Math.max(sum / (this.negGrad[j]! + 1e-10), 0), 1),
    );
  }
}

/** Cuts a row-major array into rows for the listing. */
export function toMatrix(values: ArrayLike<number>, columns: number): number[][] {
  return Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (__, j) => values[i * columns + j]!),
  );
}
