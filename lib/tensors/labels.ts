import { types } from 'node:util';
import type { PerLevel } from '../binding/addon';
import { EflArgumentError } from '../errors';
import { choiceOption, isInt32, listOf, reject } from '../validation';
import { readGiven, type ArrowVector, type DimsTensor, type Given } from './foreign';
import { kindOf, lengthOf, type TypedArrayKind } from '../intrinsics';
import { checkRowShape, describeRows, rowsOf, type CheckedLogits } from './logits';
import { rejectUnstable } from './memory';
import { newInt32Array } from './new-arrays';
import { checkShape, type CheckedTensor } from './tensor';

/** Arrays that hold integers. */
export type IntegerArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Labels of one tensor, also in a tensor or an array of another library. */
export type HostLabelValues =
  | IntegerArray
  | readonly number[]
  | { readonly data: IntegerArray; readonly shape: readonly number[] }
  | DimsTensor<IntegerArray>
  | ArrowVector<IntegerArray>;

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

const maxIgnored = 2 ** 16;

/** A copy of `ignoreIndex`, each label read once; that none means something else core checks. */
export function ignoredLabels(value: unknown): readonly number[] {
  const given = value === undefined ? [-1] : Array.isArray(value) ? value : [value];
  const list = listOf(given, maxIgnored);
  if (!list) reject('ignoreIndex', `at most ${maxIgnored} labels`, value);
  for (const label of list) {
    if (!isInt32(label)) reject('ignoreIndex', 'a 32-bit integer or a list of them', label);
  }
  return Object.freeze(list as number[]);
}

/** What a label may be, for error messages. */
export function describeConvention(convention: LabelConvention, numClasses: number): string {
  const { firstClass, background, ignored } = convention;
  const parts = [`a class from ${firstClass} to ${firstClass + numClasses - 1}`];
  if (background !== undefined) parts.push(`background ${background}`);
  if (ignored.length > 0) parts.push(`an ignored label (${ignored.join(', ')})`);
  return parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} or ${parts.at(-1)!}`;
}

export type RowKind = 'ignored' | 'background' | 'class';

/**
 * What the label of a row says.
 *
 * @throws {@link EflArgumentError} for one that means nothing.
 */
export function rowKind(
  argument: string,
  label: number,
  convention: LabelConvention,
  numClasses: number,
): RowKind {
  if (convention.ignored.includes(label)) return 'ignored';
  if (label === convention.background) return 'background';
  if (isClass(label, convention, numClasses)) return 'class';
  throw new EflArgumentError(argument, describeConvention(convention, numClasses), String(label));
}

/** The convention of functions that take labels and have no criterion, with its options checked. */
export function conventionAlone(
  { background, ignoreIndex }: { readonly background?: unknown; readonly ignoreIndex?: unknown },
  numClasses: number,
): LabelConvention {
  const which = choiceOption('background', background, 'first', backgrounds);
  const convention = labelConvention(which, numClasses, ignoredLabels(ignoreIndex));
  for (const label of convention.ignored) {
    if (label !== convention.background && !isClass(label, convention, numClasses)) continue;
    reject('ignoreIndex', 'labels that are neither a class nor background', label);
  }
  return convention;
}

function isClass(label: number, { firstClass }: LabelConvention, numClasses: number): boolean {
  return label >= firstClass && label < firstClass + numClasses;
}

/** Those whose values all are 32-bit integers. */
const smallKinds: ReadonlySet<unknown> = new Set<TypedArrayKind>([
  ...(['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array'] as const),
]);
const wideKinds: ReadonlySet<unknown> = new Set<TypedArrayKind>([
  ...(['Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array'] as const),
]);

/** An array of integers, of whichever type. */
export function isIntegerArray(value: unknown): value is IntegerArray {
  const kind = kindOf(value);
  return smallKinds.has(kind) || wideKinds.has(kind);
}

/** Whether an argument that was read holds labels; the bits of 16-bit floats are none. */
export function areLabels({ data, dtype, isBare }: Given): boolean {
  if (types.isInt32Array(data)) return true;
  const areBits = dtype === 'float16' || dtype === 'bfloat16';
  if (areBits && types.isUint16Array(data)) return false;
  return isIntegerArray(data) || (isBare && Array.isArray(data));
}

/** The labels of one tensor, which may have been read already; the addon checks their values. */
export function labelData(
  argument: string,
  labels: unknown,
  tensor: CheckedTensor<unknown>,
  logits: CheckedLogits<unknown>,
): Int32Array {
  const { data, shape, length } = readLabels(argument, labels);
  const rows = rowsOf(tensor, logits);
  if (length !== rows) {
    const isDense = isIntegerArray(data) && length === tensor.length;
    const hint = isDense ? '; dense targets come in a Float32Array' : '';
    reject(argument, `${describeRows(tensor, logits, 'labels')}${hint}`, data);
  }
  if (shape) checkRowShape(argument, shape, tensor, logits);
  return int32Of(argument, data, rows);
}

interface ReadLabels {
  readonly data: IntegerArray | unknown[];
  readonly shape: readonly number[] | undefined;
  readonly length: number;
}

function readLabels(argument: string, labels: unknown): ReadLabels {
  const given = readGiven(argument, labels);
  if (!areLabels(given)) reject(argument, expectedLabels(argument, given), given.value);
  const data = given.data as IntegerArray | unknown[];
  if (!isIntegerArray(data)) return { data, shape: undefined, length: data.length };
  rejectUnstable(argument, data);
  const shape = given.isBare ? undefined : checkShape(argument, given.shape, data);
  return { data, shape, length: lengthOf(data) };
}

/** The labels of a call that has no logits: of one tensor, or a list of those of each level. */
export function labelsAlone(labels: unknown): PerLevel<Int32Array> {
  const isList = Array.isArray(labels) && typeof labels[0] === 'object';
  if (!isList) return valuesAlone('labels', labels);
  return Array.from(labels as unknown[], (level, i) => valuesAlone(`labels[${i}]`, level));
}

/** As many as an Int32Array surely holds. */
const mostLabels = 2 ** 31 - 1;

function valuesAlone(argument: string, labels: unknown): Int32Array {
  const { data, length } = readLabels(argument, labels);
  if (length > mostLabels) reject(argument, `at most ${mostLabels} labels`, data);
  return int32Of(argument, data, length);
}

function expectedLabels(argument: string, { data }: Given): string {
  return kindOf(data) === 'Float64Array'
    ? `labels, as Int32Array.from(${argument}), or dense targets, as Float32Array.from(${argument})`
    : 'an Int32Array or another array of integers';
}

/** The same integers in 32 bits; each of them must be one. */
function int32Of(argument: string, values: IntegerArray | unknown[], count: number): Int32Array {
  if (types.isInt32Array(values)) return values;
  if (smallKinds.has(kindOf(values))) return new Int32Array(values as Int16Array);
  const labels = newInt32Array(count, 'The labels');
  const isTyped = isIntegerArray(values);
  for (let row = 0; row < count; row++) {
    const value: unknown = values[row];
    const label = isTyped ? Number(value) : value;
    if (!isInt32(label)) reject(`${argument}[${row}]`, 'a 32-bit integer', value);
    labels[row] = label;
  }
  return labels;
}
