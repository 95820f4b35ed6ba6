/** The arrays of a call: as rows for the reference, and in the form and type that the call has them in. */

import type { HostTensor } from '../../../lib';
import { makeQuality } from '../../reference/family';
import { halvesOf, numbersOf } from '../../reference/half';
import { valuesOf } from '../../reference/harness';
import type { Values } from '../../reference/harness';
import { FINITE_EXTREMES, makeLabels, NON_FINITE, normalLogits } from '../../reference/inputs';
import { KINDS } from '../../reference/kinds';
import { cutByLevel, intoMap, intoRows, rowCount, shapeOf } from '../../reference/layout';
import type { Level } from '../../reference/layout';
import { arrangementCall, totalRows } from '../../reference/maps';
import { Random } from '../../reference/random';
import { columnsOf } from '../../reference/targets';
import type { DType, Options, Plan, Scenario } from './scenario';

export class Sample {
  readonly plan: Plan;
  readonly rows: number;
  readonly columns: number;
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  readonly dense: Float32Array | undefined;
  readonly quality: Float32Array | undefined;
  readonly upstream: Float32Array;
  readonly levels: readonly Level[];
  readonly rowWeight: Float32Array | undefined;
  readonly mask: Uint8Array | undefined;
  readonly classMask: Uint8Array | undefined;

  constructor(plan: Plan, { kind, options }: Scenario) {
    const { seed, form, arrangement, targets } = plan;
    this.plan = plan;
    const random = new Random(seed);
    const sizes = form === 'list' ? plan.sizes : plan.sizes.slice(0, 1);
    this.columns = columnsOf(options);
    this.rows = totalRows(sizes, arrangement.anchors);
    this.levels = sizes.map((size) => ({ ...size, ...arrangement, columns: this.columns }));
    this.logits = this.fill(random);
    const size = this.logits.length;
    this.upstream = Float32Array.from({ length: size }, () => random.uniform(-2, 2));
    this.dense =
      targets === 'labels' || plan.method === 'collectGrad'
        ? undefined
        : Float32Array.from({ length: size }, () => shareOf(random, targets === 'soft'));
    this.labels = labelsOf(seed, this.rows, options);
    const isRated =
      KINDS[kind].isOfQuality && this.dense === undefined && plan.method !== 'collectGrad';
    this.quality = isRated ? makeQuality(seed, this.rows) : undefined;
    const selects = plan.method !== 'collectGrad';
    const bytes = (length: number): Uint8Array =>
      Uint8Array.from({ length }, () => random.integer(3));
    this.rowWeight =
      selects && plan.weighted
        ? Float32Array.from({ length: this.rows }, () => Math.max(0, random.uniform(-0.5, 3)))
        : undefined;
    this.mask = selects && plan.masked ? bytes(size) : undefined;
    this.classMask = selects && plan.classesMasked ? bytes(options.numClasses) : undefined;
    // Whatever stands there.
    this.mask?.forEach((byte, at) => {
      if (byte === 0 && at % 3 === 0) this.logits[at] = NaN;
      if (byte === 0 && at % 5 === 0 && this.dense) this.dense[at] = -1;
    });
  }

  private fill(random: Random): Float32Array {
    const { extremes, nonFinite, mean, deviation, dtype } = this.plan;
    const pool = nonFinite ? [...FINITE_EXTREMES, ...NON_FINITE] : FINITE_EXTREMES;
    const values = normalLogits(random, this.rows, this.columns, { mean, deviation });
    const mixed = values.map((value) =>
      extremes !== undefined && random.integer(extremes) === 0
        ? pool[random.integer(pool.length)]!
        : value,
    );
    return dtype === 'float32' || this.isBare ? mixed : numbersOf(halvesOf(mixed, dtype), dtype);
  }

  /** Without a shape, and so without a type. */
  get isBare(): boolean {
    return this.plan.form === 'bare';
  }

  get dtype(): DType {
    return this.isBare ? 'float32' : this.plan.dtype;
  }

  /** Logits or gradients in the form and type of the call. */
  shaped(rows: Float32Array, dtype: DType): Values {
    const { form } = this.plan;
    const typed = (values: Float32Array) => ({
      data: dtype === 'float32' ? values.slice() : halvesOf(values, dtype),
      dtype,
    });
    if (form === 'bare') return rows.slice();
    if (form === 'rows') return { ...typed(rows), shape: [this.rows, this.columns] };
    const maps = this.cut(rows, this.columns).map((part, i): HostTensor => {
      const level = this.levels[i]!;
      return { ...typed(intoMap(part, level)), shape: shapeOf(level) };
    });
    return form === 'map' ? maps[0]! : maps;
  }

  /** A byte for each logit in the form of the call. */
  shapedBytes(rows: Uint8Array): unknown {
    const { form } = this.plan;
    if (form === 'bare') return rows;
    if (form === 'rows') return { data: rows, shape: [this.rows, this.columns] };
    const maps = this.cut(rows, this.columns).map((part, i) => {
      const level = this.levels[i]!;
      return { data: intoMap(part, level), shape: shapeOf(level) };
    });
    return form === 'map' ? maps[0]! : maps;
  }

  /** The rows of what came back in that form. */
  unshaped(values: Values): Float32Array {
    const { form } = this.plan;
    if (form === 'bare' || form === 'rows') return valuesOf(values);
    const maps = form === 'map' ? [values as HostTensor] : (values as readonly HostTensor[]);
    return valuesOf(
      maps.map((map, i) => {
        expect(map.shape).toEqual(shapeOf(this.levels[i]!));
        const data = intoRows(valuesOf(map), this.levels[i]!);
        return { data, shape: [data.length] };
      }),
    );
  }

  /** Values for each row. */
  byRow(values: Float32Array | Int32Array, typed: boolean): unknown {
    const plain = (part: Float32Array | Int32Array) => (typed ? part : Array.from(part));
    if (this.plan.form !== 'list') return plain(values.slice());
    return this.cut(values, 1).map(plain);
  }

  /** The format of the call. */
  get format(): object {
    const { form, arrangement } = this.plan;
    return form === 'bare' || form === 'rows' ? {} : arrangementCall(arrangement);
  }

  private cut<T extends Float32Array | Int32Array | Uint8Array>(values: T, width: number): T[] {
    return cutByLevel(values, this.levels, this.plan.arrangement.anchors, width);
  }

  /** The level of a row, and its place in it. */
  placeOf(row: number): { level: number; row: number } {
    let left = row;
    const counts = this.levels.map((level) => rowCount(level, level.anchors));
    const level = counts.findIndex((count) => {
      if (left < count) return true;
      left -= count;
      return false;
    });
    return { level, row: left };
  }
}

function shareOf(random: Random, isSoft: boolean): number {
  const draw = random.next();
  if (draw < 0.6 || !isSoft) return draw < 0.8 ? 0 : 1;
  return random.next();
}

function labelsOf(seed: number, rows: number, options: Options): Int32Array {
  const { numClasses, background = 'first', ignoreIndex = -1 } = options;
  const ignored = typeof ignoreIndex === 'number' ? [ignoreIndex] : ignoreIndex;
  const random = new Random(seed + 1);
  return makeLabels(random, rows, numClasses, {
    background,
    positive: random.next(),
    ignored: ignored.length > 0 ? 0.2 * random.next() : 0,
    ...(ignored.length > 0 && { ignoreIndex: ignored[random.integer(ignored.length)]! }),
  });
}
