/**
 * Arrays of other libraries, known by their shape alone: none of them is a dependency.
 *
 * - ndarray and @stdlib/ndarray: `{ data, shape, stride or strides, offset, dtype }`
 * - onnxruntime and Transformers.js: `{ data, dims, type }`
 * - Apache Arrow: a vector, whose `data` is a list of chunks
 */
import { types } from 'node:util';
import { EflArgumentError } from '../errors';
import { listOf, reject } from '../validation';
import { kindOf, lengthOf, partOf, plainView } from '../intrinsics';

/** A view of ndarray or @stdlib/ndarray. Its elements must lie one after another, row-major. */
export interface StridedView<Data> {
  readonly data: Data;
  readonly shape: readonly number[];
  readonly stride?: readonly number[];
  readonly strides?: readonly number[];
  readonly offset: number;
}

/** A tensor of onnxruntime or Transformers.js. */
export interface DimsTensor<Data> {
  readonly data: Data;
  readonly dims: readonly number[];
  readonly type: string;
}

/** A vector of Apache Arrow. It must have one chunk and no nulls. */
export interface ArrowVector<Data> {
  readonly data: readonly { readonly values: Data; readonly length: number }[];
  readonly length: number;
  readonly nullCount: number;
}

/** What any of these may look like. */
type Foreign = Partial<
  Record<keyof StridedView<0> | keyof DimsTensor<0> | 'dtype' | 'nullCount', unknown>
>;

interface Parts {
  readonly data: unknown;
  readonly shape?: unknown;
  readonly dtype?: unknown;
}

/**
 * A tensor argument as it was given, with each of its properties read once: they may be computed, and
 * be another one the next time.
 */
export class Given {
  /** Whether the values came alone, or as a part of an object that says more of them. */
  readonly isBare: boolean;
  /** A typed array, an array of numbers, or something to refuse. */
  readonly data: unknown;
  /** Where it is a list, a copy of it. */
  readonly shape: unknown;
  readonly dtype: unknown;
  /** The argument itself, for messages. */
  readonly value: unknown;

  readonly #isRead = true;

  constructor(value: unknown, isBare: boolean, { data, shape, dtype }: Parts) {
    this.value = value;
    this.isBare = isBare;
    this.data = kindOf(data) ? plainView(data as ArrayBufferView) : data;
    this.shape = Array.isArray(shape) ? sizesOf(shape) : (listOf(shape, maxDimensions) ?? shape);
    this.dtype = dtype;
  }

  /** Whether an argument has been read. Looks at no prototypes: a proxy can have them without end. */
  static is(value: object): value is Given {
    return #isRead in value;
  }
}

/** A shape beyond reason is not gone through. */
export const maxDimensions = 64;

/** A copy of a shape; of one beyond reason no more than its length, so that nobody reads it again. */
function sizesOf(shape: unknown[]): unknown[] {
  const sizes = listOf(shape, maxDimensions);
  if (sizes) return sizes;
  const length: unknown = shape.length;
  const isLong = typeof length === 'number' && length > maxDimensions && length < 2 ** 32;
  return new Array(isLong ? Math.floor(length) : maxDimensions + 1);
}

/**
 * Reads an argument of any of these forms; what it says is still to be checked.
 *
 * @throws {@link EflArgumentError} for elements that do not lie one after another, for several chunks
 * and for nulls.
 */
export function readGiven(argument: string, value: unknown): Given {
  const isObject = typeof value === 'object' && value !== null;
  if (isObject && Given.is(value)) return value;
  if (!isObject || kindOf(value) || Array.isArray(value)) {
    return new Given(value, true, { data: value });
  }
  const { data, shape, stride, strides = stride, offset, dims, type, dtype } = value as Foreign;
  const chunk = firstChunk(argument, data);
  if (chunk) {
    const { nullCount } = value as Foreign;
    if (nullCount) reject(argument, 'an Arrow vector without nulls (nullCount 0)', nullCount);
    return new Given(value, true, { data: chunk });
  }
  if (strides !== undefined && shape !== undefined) {
    const view = contiguous(argument, { data, shape, strides, offset });
    return new Given(value, false, { ...view, dtype });
  }
  const isDims = dims !== undefined && shape === undefined;
  return new Given(
    value,
    false,
    isDims ? { data, shape: dims, dtype: type } : { data, shape, dtype },
  );
}

/** The values of the one chunk of an Arrow vector; undefined for what is none. */
function firstChunk(argument: string, data: unknown): ArrayBufferView | undefined {
  if (!Array.isArray(data) || data.length === 0) return undefined;
  const first = data[0] as { values?: unknown; length?: unknown } | null | undefined;
  if (typeof first !== 'object' || first === null) return undefined;
  const { values, length } = first;
  if (!types.isTypedArray(values)) return undefined;
  if (data.length > 1) {
    const expected = 'an Arrow vector of one chunk';
    throw new EflArgumentError(argument, expected, `${data.length} chunks`);
  }
  // A sliced vector has sliced values; its offset is that of its validity bits. They may be padded.
  return partOf(values, 0, typeof length === 'number' ? length : lengthOf(values));
}

function contiguous(
  argument: string,
  { data, shape, strides, offset = 0 }: Record<'data' | 'shape' | 'strides' | 'offset', unknown>,
): Parts {
  const size = numbersIn(shape);
  // Not a shape at all: that is for the caller to refuse.
  if (!size) return { data, shape };
  const steps = numbersIn(strides);
  if (!steps) reject(`${argument}.stride`, 'a list of numbers', strides);
  const count = size.reduce((product, length) => product * length, 1);
  if (count > 0) checkStrides(argument, size, steps);
  if (!Number.isSafeInteger(offset) || (offset as number) < 0) {
    reject(`${argument}.offset`, 'an integer >= 0', offset);
  }
  const first = offset as number;
  const values = types.isTypedArray(data) && count >= 0 ? partOf(data, first, first + count) : data;
  return { data: values, shape: size };
}

function checkStrides(
  argument: string,
  shape: readonly number[],
  strides: readonly number[],
): void {
  const expected: number[] = [];
  shape.reduceRight((product, size) => {
    expected.unshift(product);
    return product * size;
  }, 1);
  // What the stride of a dimension of one is makes no difference.
  const fits = (stride: number, axis: number): boolean =>
    shape[axis] === 1 || strides[axis] === stride;
  if (strides.length === shape.length && expected.every(fits)) return;
  const wanted = `elements that lie one after another, with strides ${expected.join(', ')}: copy the view into an array of its own`;
  throw new EflArgumentError(`${argument}.stride`, wanted, strides.join(', '));
}

/** The numbers of a list or of a typed array; undefined for what is neither. */
function numbersIn(value: unknown): readonly number[] | undefined {
  const list = listOf(value, maxDimensions);
  return list?.every((each) => typeof each === 'number') ? list : undefined;
}
