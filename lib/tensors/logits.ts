import {
  channelOrderCode,
  dtypeCode,
  geometryHead,
  geometrySlot,
  layoutCode,
  type PerLevel,
  type Values,
} from '../binding/addon';
import type { CudaTensor } from '../cuda/cuda-tensor';
import { EflArgumentError } from '../errors';
import { isInt32, listOf, reject } from '../validation';
import type { Float16Values } from './float16';
import type { ArrowVector, DimsTensor } from './foreign';
import {
  channelAxis,
  describeColumns,
  describeShape,
  dimensionNames,
  type Format,
  type RowWidth,
} from './layout';
import { isList, levelName, mapLevels } from './levels';
import {
  checkTensor,
  listed,
  type CheckedTensor,
  type HostTensor,
  type HostValues,
} from './tensor';

/**
 * Logits: bare rows x classes, a tensor in one of the layouts, or a list of tensors, one for each
 * level of a feature pyramid, all of one layout and element type. On the host or on a device.
 */
export type Logits =
  | Float32Array
  | Float16Values
  | HostTensor
  | readonly HostTensor[]
  | ForeignTensor
  | readonly DimsTensor<HostValues>[]
  | CudaTensor
  | readonly CudaTensor[];

/** Arrays of other libraries, see docs/embedding.md; those of ndarray are a {@link HostTensor} already. */
export type ForeignTensor = DimsTensor<HostValues> | ArrowVector<Float32Array>;

/** Logits, checked: what they are made of, and how they lie in memory. */
export interface CheckedLogits<V = Values> {
  readonly tensors: PerLevel<CheckedTensor<V>>;
  readonly format: Format;
  readonly columns: number;
}

/** Checks that the logits have the shape that goes with their format. */
export function checkLogits(
  argument: string,
  logits: unknown,
  format: Format,
  width: RowWidth,
): CheckedLogits {
  const tensors = Array.isArray(logits)
    ? checkLevels(argument, logits, format, width)
    : checkOne(argument, checkTensor(argument, logits), format, width);
  return { tensors, format, columns: width.columns };
}

/** More levels than any list of feature maps has; a longer one is not gone through. */
export const maxLevels = 65536;

function checkLevels(
  argument: string,
  logits: unknown[],
  format: Format,
  width: RowWidth,
): readonly CheckedTensor[] {
  const levels = listOf(logits, maxLevels);
  if (typeof levels?.[0] === 'number' || Array.isArray(levels?.[0])) {
    const flat = typeof levels[0] === 'number' ? argument : `${argument}.flat()`;
    reject(argument, `float32 values, which Float32Array.from(${flat}) makes of numbers`, logits);
  }
  if (!levels || levels.length === 0) {
    reject(argument, `a list of 1 to ${maxLevels} tensors`, logits);
  }
  const tensors = levels.map((given, level) => {
    const name = `${argument}[${level}]`;
    const tensor = checkTensor(name, given);
    if (!tensor.shape) reject(name, 'a tensor { data, shape, dtype? }', given);
    return checkOne(name, tensor, format, width);
  });
  const { dtype } = tensors[0]!;
  const other = tensors.findIndex((tensor) => tensor.dtype !== dtype);
  if (other >= 0) {
    const expected = `${dtype}, as at the first level`;
    throw new EflArgumentError(`${argument}[${other}].dtype`, expected, tensors[other]!.dtype);
  }
  return tensors;
}

function checkOne(
  argument: string,
  tensor: CheckedTensor,
  format: Format,
  width: RowWidth,
): CheckedTensor {
  const { data, length, shape } = tensor;
  if (!shape) {
    if (format.layout !== 'rows')
      reject('layout', "'rows' for values without a shape", format.layout);
    if (length % width.columns !== 0) {
      reject(argument, `rows x numClasses values (${describeColumns(width)})`, data);
    }
  } else if (!hasShape(shape, format, width)) {
    throw shapeError(argument, shape, format, width);
  }
  return tensor;
}

/** `'NHWC'` and `'NCHW'` have images and channels, and any number of dimensions beside them. */
export function hasShape(
  shape: readonly number[],
  { layout, anchors }: Format,
  width: RowWidth,
): boolean {
  const least = layout === 'rows' ? 1 : 2;
  return shape.length >= least && shape.at(channelAxis(layout)) === anchors * width.columns;
}

/** What is wrong with a shape; and what to do about a head that has more than logits of classes. */
export function shapeError(
  argument: string,
  shape: readonly number[],
  format: Format,
  width: RowWidth,
): EflArgumentError {
  const { anchors } = format;
  const channels = shape.at(channelAxis(format.layout)) ?? 0;
  const hasOthers = channels > anchors * width.columns && channels % anchors === 0;
  const advice = `; with ${channels / anchors} columns ${anchors > 1 ? 'an anchor' : 'a row'}, as of a head with boxes, copy those of the classes into an array of their own`;
  const expected = `${describeShape(format, width, shape.length)}${hasOthers ? advice : ''}`;
  return new EflArgumentError(`${argument}.shape`, expected, listed(shape));
}

/** The values of every level, as the addon takes them. */
export function valuesOf({ tensors }: CheckedLogits): PerLevel<Values> {
  return mapLevels(tensors, ({ data }) => data);
}

/** The rows of a level: of each image, at each position, one for each anchor. */
export function rowsOf(
  { length }: CheckedTensor<unknown>,
  { columns }: CheckedLogits<unknown>,
): number {
  return length / columns;
}

/** How many of `what` (labels, for example) a level needs, and in which order: for error messages. */
export function describeRows(
  tensor: CheckedTensor<unknown>,
  logits: CheckedLogits<unknown>,
  what: string,
): string {
  const rows = rowsOf(tensor, logits);
  const { layout, anchors } = logits.format;
  if (layout === 'rows') return `${rows} ${what}, one for each row of the logits`;
  const [images, ...sizes] = positionsOf(tensor.shape!, logits.format);
  const names = ['B', ...dimensionNames(sizes.length), 'A'].join(' x ');
  return `${rows} ${what}, ${names} = ${listed([images, ...sizes, anchors])}`;
}

/**
 * Refuses a shape of labels that speaks of another order than that of the rows: it has to be that of
 * the rows, but that neighbouring dimensions may be one, in either of the two. Bare logits have no
 * such shape.
 */
export function checkRowShape(
  argument: string,
  shape: readonly number[],
  tensor: CheckedTensor<unknown>,
  logits: CheckedLogits<unknown>,
): void {
  if (!tensor.shape || rowsOf(tensor, logits) === 0) return;
  const rows = rowShape(tensor.shape, logits.format);
  const [ours, theirs] = [lengthsOfRuns(rows), lengthsOfRuns(shape)];
  if (theirs.every((length) => ours.includes(length))) return;
  if (ours.every((length) => theirs.includes(length))) return;
  const expected = `${listed(rows)}, the shape of the rows, or one dimension`;
  throw new EflArgumentError(`${argument}.shape`, expected, listed(shape));
}

function rowShape(shape: readonly number[], format: Format): readonly number[] {
  return format.layout === 'rows'
    ? shape.slice(0, -1)
    : [...positionsOf(shape, format), format.anchors];
}

/** How many values each dimension and those after it have together. */
function lengthsOfRuns(shape: readonly number[]): readonly number[] {
  return shape.reduceRight((lengths, size) => [...lengths, lengths.at(-1)! * size], [1]);
}

/** The shape without its channels: images, and the sizes of an image. */
function positionsOf(shape: readonly number[], { layout }: Format): readonly number[] {
  const channels = channelAxis(layout);
  return shape.filter((_, axis) => axis !== (channels + shape.length) % shape.length);
}

/** What the addon has to know beside the values; nothing for one tensor of float32 rows. */
export function geometryOf(argument: string, logits: CheckedLogits): Int32Array | undefined {
  const { tensors, format } = logits;
  if (isList(tensors)) return newGeometry(argument, tensors, logits);
  if (format.layout === 'rows' && tensors.dtype === 'float32') return undefined;
  return newGeometry(argument, [tensors], logits);
}

/** The same in any case. */
export function newGeometry(
  argument: string,
  levels: readonly CheckedTensor<unknown>[],
  logits: CheckedLogits<unknown>,
): Int32Array {
  const { layout, anchors, channelOrder } = logits.format;
  const geometry = new Int32Array(geometryHead + 2 * levels.length);
  geometry[geometrySlot.dtype] = dtypeCode[levels[0]!.dtype];
  geometry[geometrySlot.layout] = layoutCode[layout];
  geometry[geometrySlot.channelOrder] = channelOrderCode[channelOrder];
  geometry[geometrySlot.anchors] = anchors;
  levels.forEach((tensor, level) => {
    const sizes = imagesAndPositions(tensor, logits);
    if (!sizes.every(isInt32)) {
      const name = levelName(argument, logits.tensors, level);
      reject(name, 'at most 2147483647 images, and positions in an image', tensor.data);
    }
    geometry.set(sizes, geometryHead + 2 * level);
  });
  return geometry;
}

function imagesAndPositions(
  tensor: CheckedTensor<unknown>,
  logits: CheckedLogits<unknown>,
): readonly [images: number, positions: number] {
  if (logits.format.layout === 'rows') return [1, rowsOf(tensor, logits)];
  const [images, ...sizes] = positionsOf(tensor.shape!, logits.format);
  return [images!, sizes.reduce((product, size) => product * size, 1)];
}
