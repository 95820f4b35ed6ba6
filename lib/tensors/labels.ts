import { types } from 'node:util';
import type { PerLevel } from '../binding/addon';
import type { CudaTensor } from '../device/cuda-tensor';
import { isInt32, reject } from '../validation';
import { counterpart } from './counterparts';
import { checkRowShape, describeRows, rowsOf, type CheckedLogits } from './logits';
import { asPlain, holdsIntegers, type ArrowVector, type DimsTensor } from './foreign';
import { rejectUnstable } from './memory';
import { checkShape, type CheckedTensor } from './tensor';

/** Labels of one tensor, in an array of another library where it has 32-bit integers. */
type HostLabelValues =
  | Int32Array
  | readonly number[]
  | { readonly data: Int32Array; readonly shape: readonly number[] }
  | DimsTensor<Int32Array>
  | ArrowVector<Int32Array>;

/**
 * One integer for each row: its class, background, or a label to ignore. For a list of levels a list
 * of these. On a device int32 tensors, for logits that are there, too. Rows of a level are ordered
 * images x H x W x anchors, whatever the layout of the logits.
 */
export type Labels = HostLabelValues | CudaTensor | readonly (HostLabelValues | CudaTensor)[];

/** Which integer means what. */
export interface LabelConvention {
  readonly firstClass: number;
  readonly background: number | undefined;
  readonly ignored: readonly number[];
}

export const backgrounds = ['first', 'last', 'none'] as const;

/**
 * `'first'`: label 0 is background and k in 1..C is column k-1 (the official EFL). `'last'`: label C
 * is background and k in 0..C-1 is column k (mmdetection). `'none'`: as `'last'`, without background.
 */
export type Background = (typeof backgrounds)[number];

export function labelConvention(
  background: Background,
  numClasses: number,
  ignored: readonly number[],
): LabelConvention {
  if (background === 'first') return { firstClass: 1, background: 0, ignored };
  return { firstClass: 0, background: background === 'last' ? numClasses : undefined, ignored };
}

/** Checks `ignoreIndex`: none of the labels to ignore may already mean something else. */
export function ignoredLabels(
  value: unknown,
  background: Background,
  numClasses: number,
): readonly number[] {
  const list: readonly unknown[] =
    value === undefined ? [-1] : Array.isArray(value) ? value : [value];
  const { firstClass, background: backgroundLabel } = labelConvention(background, numClasses, []);
  for (const label of list) {
    if (!isInt32(label)) reject('ignoreIndex', 'a 32-bit integer or a list of them', label);
    if (label >= firstClass && label < firstClass + numClasses) {
      reject('ignoreIndex', 'labels that are not a class', label);
    }
    if (label === backgroundLabel) reject('ignoreIndex', 'labels other than background', label);
  }
  return list as readonly number[];
}

/** What a label may be, for error messages. */
export function describeConvention(convention: LabelConvention, numClasses: number): string {
  const { firstClass, background, ignored } = convention;
  const parts = [`a class from ${firstClass} to ${firstClass + numClasses - 1}`];
  if (background !== undefined) parts.push(`background ${background}`);
  if (ignored.length > 0) parts.push(`an ignored label (${ignored.join(', ')})`);
  return parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} or ${parts.at(-1)!}`;
}

/** Labels as the addon reads them; their values are checked there, in one pass. */
export function checkLabels(labels: unknown, logits: CheckedLogits): PerLevel<Int32Array> {
  return counterpart('labels', labels, logits, labelData);
}

interface PlainLabels {
  readonly data: Int32Array | unknown[];
  /** Undefined for bare values. */
  readonly shape?: readonly number[];
}

/** Labels in any form; undefined for what is none. */
function plainLabels(argument: string, labels: unknown): PlainLabels | undefined {
  if (types.isInt32Array(labels) || Array.isArray(labels)) return { data: labels };
  if (!holdsIntegers(labels)) return undefined;
  const plain = asPlain(argument, labels as object);
  if (types.isInt32Array(plain)) return { data: plain };
  const { data, shape } = plain as { data: Int32Array; shape: unknown };
  return { data, shape: checkShape(argument, shape, data) };
}

/** The labels of one tensor. */
export function labelData(
  argument: string,
  labels: unknown,
  tensor: CheckedTensor,
  logits: CheckedLogits,
): Int32Array {
  const plain = plainLabels(argument, labels);
  if (!plain) reject(argument, 'an Int32Array or an array of integers', labels);
  const { data: given, shape } = plain;
  if (types.isInt32Array(given)) rejectUnstable(argument, given);
  const rows = rowsOf(tensor, logits);
  if (given.length !== rows) reject(argument, describeRows(tensor, logits, 'labels'), labels);
  if (shape) checkRowShape(argument, shape, tensor, logits);
  if (types.isInt32Array(given)) return given;
  // By index: holes of a sparse array are looked at, too.
  return Int32Array.from({ length: rows }, (_, row) => {
    const label: unknown = given[row];
    if (!isInt32(label)) reject(`${argument}[${row}]`, 'a 32-bit integer', label);
    return label;
  });
}
