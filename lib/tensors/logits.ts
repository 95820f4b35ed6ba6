import {
  channelOrderCode,
  dtypeCode,
  geometryHead,
  geometrySlot,
  layoutCode,
  type PerLevel,
  type Values,
} from '../binding/addon';
import type { CudaTensor } from '../device/cuda-tensor';
import { EflArgumentError } from '../errors';
import { isInt32, reject } from '../validation';
import type { Float16Values } from './float16';
import type { ArrowVector, DimsTensor } from './foreign';
import { channelAxis, describeColumns, describeShape, type Format, type RowWidth } from './layout';
import { isList, levelName, mapLevels } from './levels';
import {
  checkTensor,
  listed,
  type CheckedTensor,
  type HostTensor,
  type HostValues,
  type Sized,
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
export interface CheckedLogits<V extends Sized = Values> {
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

function checkLevels(
  argument: string,
  logits: unknown[],
  format: Format,
  width: RowWidth,
): readonly CheckedTensor[] {
  if (logits.length === 0) reject(argument, 'a list of at least one tensor', logits);
  // Array.from also visits the holes of a sparse list.
  const tensors = Array.from(logits, (given, level) => {
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
  const { data, shape } = tensor;
  if (!shape) {
    if (format.layout !== 'rows')
      reject('layout', "'rows' for values without a shape", format.layout);
    if (data.length % width.columns !== 0) {
      reject(argument, `rows x numClasses values (${describeColumns(width)})`, data);
    }
  } else if (!hasShape(shape, format, width)) {
    const expected = describeShape(format, width);
    throw new EflArgumentError(`${argument}.shape`, expected, listed(shape));
  }
  return tensor;
}

export function hasShape(
  shape: readonly number[],
  { layout, anchors }: Format,
  width: RowWidth,
): boolean {
  if (layout === 'rows') return shape.at(-1) === width.columns;
  return shape.length === 4 && shape[channelAxis(layout)] === anchors * width.columns;
}

/** The values of every level, as the addon takes them. */
export function valuesOf({ tensors }: CheckedLogits): PerLevel<Values> {
  return mapLevels(tensors, ({ data }) => data);
}

/** The rows of a level: of each image, at each position, one for each anchor. */
export function rowsOf({ data }: CheckedTensor<Sized>, { columns }: CheckedLogits<Sized>): number {
  return data.length / columns;
}

/** How many of `what` (labels, for example) a level needs, and in which order: for error messages. */
export function describeRows(
  tensor: CheckedTensor<Sized>,
  logits: CheckedLogits<Sized>,
  what: string,
): string {
  const rows = rowsOf(tensor, logits);
  const { layout, anchors } = logits.format;
  if (layout === 'rows') return `${rows} ${what}, one for each row of the logits`;
  const [images, height, width] = imageOf(tensor.shape!, logits.format);
  return `${rows} ${what}, B x H x W x A = ${listed([images, height, width, anchors])}`;
}

/**
 * Refuses a shape of labels that speaks of another order than that of the rows: it has to be that of
 * the rows, but that neighbouring dimensions may be one, in either of the two. Bare logits have no
 * such shape.
 */
export function checkRowShape(
  argument: string,
  shape: readonly number[],
  tensor: CheckedTensor<Sized>,
  logits: CheckedLogits<Sized>,
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
    : [...imageOf(shape, format), format.anchors];
}

/** How many values each dimension and those after it have together. */
function lengthsOfRuns(shape: readonly number[]): readonly number[] {
  return shape.reduceRight((lengths, size) => [...lengths, lengths.at(-1)! * size], [1]);
}

function imageOf(shape: readonly number[], { layout }: Format): readonly [number, number, number] {
  const [images, ...rest] = shape as readonly [number, number, number, number];
  return layout === 'NHWC' ? [images, rest[0], rest[1]] : [images, rest[1], rest[2]];
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
  levels: readonly CheckedTensor<Sized>[],
  logits: CheckedLogits<Sized>,
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
  tensor: CheckedTensor<Sized>,
  logits: CheckedLogits<Sized>,
): readonly [images: number, positions: number] {
  if (logits.format.layout === 'rows') return [1, rowsOf(tensor, logits)];
  const [images, height, width] = imageOf(tensor.shape!, logits.format);
  return [images, height * width];
}
