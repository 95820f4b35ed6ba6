/**
 * Arrays of other libraries, known by their shape alone: none of them is a dependency.
 *
 * - ndarray and @stdlib/ndarray: `{ data, shape, stride or strides, offset, dtype }`
 * - onnxruntime and Transformers.js: `{ data, dims, type }`
 * - Apache Arrow: a vector, whose `data` is a list of chunks
 */
import { types } from 'node:util';
import { EflArgumentError } from '../errors';
import { reject } from '../validation';

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

type Chunk = Partial<{ values: unknown; length: number }>;

/**
 * The same memory as bare values or as `{ data, shape, dtype }`; everything else as it is.
 *
 * @throws {@link EflArgumentError} for elements that do not lie one after another, for several chunks
 * and for nulls.
 */
export function asPlain(argument: string, value: object): unknown {
  // Each read once: properties may be computed.
  const { data, shape, stride, strides = stride, offset, dims, type, dtype } = value as Foreign;
  if (isChunks(data)) return arrowValues(argument, data, (value as Foreign).nullCount);
  const size = numbersIn(shape);
  if (strides !== undefined && size) {
    const steps = numbersIn(strides);
    if (!steps) reject(`${argument}.stride`, 'a list of numbers', strides);
    return { ...contiguous(argument, data, size, steps, offset), dtype: floatType(dtype, data) };
  }
  const sizeInDims = numbersIn(dims);
  if (sizeInDims && shape === undefined) {
    return { data, shape: sizeInDims, dtype: floatType(type, data) };
  }
  return value;
}

/** Labels have no type of their own. */
function floatType(dtype: unknown, data: unknown): unknown {
  return types.isInt32Array(data) ? undefined : dtype;
}

/** Whether these are whole numbers, which dense targets never are. */
export function holdsIntegers(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { data } = value as Foreign;
  const values = Array.isArray(data) ? (data[0] as Chunk | undefined)?.values : data;
  return types.isInt32Array(values);
}

function isChunks(data: unknown): data is readonly Required<Chunk>[] {
  if (!Array.isArray(data) || data.length === 0) return false;
  return data.every((chunk: unknown) => types.isTypedArray((chunk as Chunk | null)?.values));
}

function arrowValues(
  argument: string,
  chunks: readonly Required<Chunk>[],
  nullCount: unknown,
): unknown {
  if (chunks.length > 1) {
    const expected = 'an Arrow vector of one chunk';
    throw new EflArgumentError(argument, expected, `${chunks.length} chunks`);
  }
  if (nullCount) reject(argument, 'an Arrow vector without nulls (nullCount 0)', nullCount);
  // A sliced vector has sliced values; its offset is that of its validity bits. They may be padded.
  return part(chunks[0]!.values, 0, chunks[0]!.length);
}

function contiguous(
  argument: string,
  data: unknown,
  shape: readonly number[],
  strides: readonly number[],
  offset: unknown = 0,
): { data: unknown; shape: readonly number[] } {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > 0) checkStrides(argument, shape, strides);
  if (!Number.isSafeInteger(offset) || (offset as number) < 0) {
    reject(`${argument}.offset`, 'an integer >= 0', offset);
  }
  return { data: part(data, offset as number, (offset as number) + count), shape };
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
  const wanted = `elements that lie one after another, with strides ${expected.join(', ')}; copy the view`;
  throw new EflArgumentError(`${argument}.stride`, wanted, strides.join(', '));
}

/** A part of a typed array; other things are for the caller to refuse. */
function part(values: unknown, first: number, last: number): unknown {
  return types.isTypedArray(values) ? values.subarray(first, last) : values;
}

/** The numbers of a list or of a typed array; undefined for what is neither. */
function numbersIn(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value) && !types.isTypedArray(value)) return undefined;
  const list: unknown[] = Array.from(value as ArrayLike<unknown>);
  return list.every((each) => typeof each === 'number') ? list : undefined;
}
