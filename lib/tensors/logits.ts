import type { PerLevel, Values } from '../binding/addon';
import { addon } from '../binding/load';
import { EflArgumentError } from '../errors';
import { isInt32, listOf, reject } from '../validation';
import {
  channelAxis,
  describeColumns,
  describeShape,
  dimensionNames,
  type Format,
  type RowWidth,
} from './layout';
import { isList, levelName, mapLevels } from './levels';
import { listed, type CheckedTensor } from './tensor';

/** Logits, checked: what they are made of, and how they lie in memory. */
export interface CheckedLogits<V = Values> {
  readonly tensors: PerLevel<CheckedTensor<V>>;
  readonly format: Format;
  readonly columns: number;
}

/** Reads one tensor of logits; `first` is that of the first level, where this is another one. */
export type ReadTensor<V> = (
  argument: string,
  value: unknown,
  first?: CheckedTensor<V>,
) => CheckedTensor<V>;

/** Checks that the logits have the shape that goes with their format. */
export function checkLogits<V>(
  argument: string,
  logits: unknown,
  format: Format,
  width: RowWidth,
  read: ReadTensor<V>,
): CheckedLogits<V> {
  const tensors = Array.isArray(logits)
    ? checkLevels(argument, logits, format, width, read)
    : checkOne(argument, read(argument, logits), format, width);
  return { tensors, format, columns: width.columns };
}

/** More levels than any list of feature maps has; a longer one is not gone through. */
export const maxLevels = 65536;

function checkLevels<V>(
  argument: string,
  logits: unknown[],
  format: Format,
  width: RowWidth,
  read: ReadTensor<V>,
): readonly CheckedTensor<V>[] {
  const levels = listOf(logits, maxLevels);
  if (typeof levels?.[0] === 'number' || Array.isArray(levels?.[0])) {
    const flat = typeof levels[0] === 'number' ? argument : `${argument}.flat()`;
    reject(argument, `float32 values, which Float32Array.from(${flat}) makes of numbers`, logits);
  }
  if (!levels || levels.length === 0) {
    reject(argument, `a list of 1 to ${maxLevels} tensors`, logits);
  }
  const tensors: CheckedTensor<V>[] = [];
  levels.forEach((given, level) => {
    const name = `${argument}[${level}]`;
    const tensor = read(name, given, tensors[0]);
    if (!tensor.shape) reject(name, 'a tensor { data, shape, dtype? }', given);
    tensors.push(checkOne(name, tensor, format, width));
  });
  const { dtype } = tensors[0]!;
  const other = tensors.findIndex((tensor) => tensor.dtype !== dtype);
  if (other >= 0) {
    const expected = `${dtype}, as at the first level`;
    throw new EflArgumentError(`${argument}[${other}].dtype`, expected, tensors[other]!.dtype);
  }
  return tensors;
}

function checkOne<V>(
  argument: string,
  tensor: CheckedTensor<V>,
  format: Format,
  width: RowWidth,
): CheckedTensor<V> {
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
function hasShape(shape: readonly number[], { layout, anchors }: Format, width: RowWidth): boolean {
  const least = layout === 'rows' ? 1 : 2;
  return shape.length >= least && shape.at(channelAxis(layout)) === anchors * width.columns;
}

/** What is wrong with a shape; and what to do about a head that has more than logits of classes. */
function shapeError(
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

/** The values of every level. */
export function valuesOf<V>({ tensors }: CheckedLogits<V>): PerLevel<V> {
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
export function geometryOf(
  argument: string,
  logits: CheckedLogits<unknown>,
): Int32Array | undefined {
  const { tensors, format } = logits;
  const isPlain = !isList(tensors) && format.layout === 'rows' && tensors.dtype === 'float32';
  return isPlain ? undefined : newGeometry(argument, logits);
}

/** The same in any case. */
export function newGeometry(argument: string, logits: CheckedLogits<unknown>): Int32Array {
  const levels = isList(logits.tensors) ? logits.tensors : [logits.tensors];
  const { layout, anchors, channelOrder } = logits.format;
  const { codes } = addon();
  const { geometry: place } = codes;
  const geometry = new Int32Array(place.levels + 2 * levels.length);
  geometry[place.dtype] = codes.dtype[levels[0]!.dtype];
  geometry[place.layout] = codes.layout[layout];
  geometry[place.channelOrder] = codes.channelOrder[channelOrder];
  geometry[place.anchors] = anchors;
  levels.forEach((tensor, level) => {
    const sizes = imagesAndPositions(tensor, logits);
    if (!sizes.every(isInt32)) {
      const name = levelName(argument, logits.tensors, level);
      reject(name, 'at most 2147483647 images, and positions in an image', tensor.data);
    }
    geometry.set(sizes, place.levels + 2 * level);
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
