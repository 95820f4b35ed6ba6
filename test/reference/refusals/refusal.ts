/** What a row of the table of refusals says, and the good calls that its bad ones are made from. */
import { inspect } from 'node:util';
import type { HostTensor } from '../../../lib';
import type { Member } from '../family';

/** The calls of a criterion; each has an asynchronous counterpart. */
export type Method = 'forward' | 'forwardBackward' | 'collectGrad';

/** What of a call is on the device: all that can be, or all but labels, targets and qualities. */
export type Upload = 'everything' | 'logits';

/** The arguments of a call. `grad` is where `forwardBackward` writes; the others are not given it. */
export interface Given {
  readonly logits: unknown;
  readonly labels: unknown;
  readonly grad?: unknown;
  readonly call?: unknown;
}

/** Which calls refuse something, and what else they say of it. */
export interface Scope {
  /** Default: all but `collectGrad`. */
  readonly methods?: readonly Method[];
  /** Whether there is such a call only asynchronously. */
  readonly onlyAsync?: boolean;
  /** In which forms a call on a device refuses it, too. Default: in none. */
  readonly device?: readonly Upload[];
  /**
   * Whether a value in an array is bad, which a kernel finds. On a device it has written the gradient
   * by then.
   */
  readonly isValue?: boolean;
  /** Default: Focal Loss and Equalized Focal Loss. */
  readonly losses?: readonly Member[];
  /** Options of the criterion; `numClasses` is `CLASSES` by default. */
  readonly options?: object;
  /** Texts of the error: to the letter, or by a pattern. */
  readonly expected?: string | RegExp;
  readonly received?: string | RegExp;
}

export interface Refusal extends Scope {
  readonly name: string;
  /** The name that the error gives; in `collectGrad` logits are called `grads`. */
  readonly argument: string;
  readonly given: () => Given;
}

export const BACKWARD: readonly Method[] = ['forwardBackward'];
export const ALL_CALLS: readonly Method[] = ['forward', 'forwardBackward', 'collectGrad'];
export const HOST_LABELS: readonly Upload[] = ['logits'];
export const UPLOADED: readonly Upload[] = ['everything'];
export const BOTH: readonly Upload[] = ['everything', 'logits'];

export const ROWS = 3;
export const CLASSES = 4;
export const COUNT = ROWS * CLASSES;
export const ANCHORS = 3;
export const NOT_FINITE = [NaN, Infinity, -Infinity];
export const NOT_NUMBERS = ['1', null, true, {}, [1], 1n];

export function values(length = COUNT): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i));
}

/** A gradient that a refused call leaves as it is. */
export function gradient(length = COUNT): Float32Array {
  return new Float32Array(length).fill(7);
}

/** A call of bare rows, some parts of it replaced. Its gradient is a new one each time it is read. */
export function rows(parts: Partial<Given> = {}): Given {
  const good = {
    logits: values(),
    labels: Int32Array.of(1, 0, 3),
    get grad(): unknown {
      return gradient();
    },
  };
  return Object.defineProperties(good, Object.getOwnPropertyDescriptors(parts));
}

/** A call of rows with an option. */
export function option(name: string, value: unknown): Given {
  return rows({ call: { [name]: value } });
}

/** The same rows in a tensor. */
export function tensor(data: unknown = values(), rest: object = {}): object {
  return { data, shape: [ROWS, CLASSES], ...rest };
}

export function half(dtype: 'float16' | 'bfloat16', rest: object = {}): object {
  return { data: new Uint16Array(COUNT), shape: [ROWS, CLASSES], dtype, ...rest };
}

/** A map of 2 x `width` positions. */
export function level(width: number, data = values(2 * width * ANCHORS * CLASSES)): HostTensor {
  return { data, shape: [1, 2, width, ANCHORS * CLASSES] };
}

const WIDTHS = [3, 2, 1] as const;
const sizeOf = (width: number): number => 2 * width * ANCHORS;

/** Labels of three levels of maps, some of them replaced. */
export const LEVEL_LABELS = WIDTHS.map((width) => new Int32Array(sizeOf(width)));

/** A call of three levels in NHWC, some parts of it replaced. */
export function levels({ call, ...parts }: Partial<Given> = {}): Given {
  return rows({
    logits: WIDTHS.map((width) => level(width)),
    labels: LEVEL_LABELS,
    get grad(): unknown {
      return WIDTHS.map((width) => level(width, gradient(CLASSES * sizeOf(width))));
    },
    ...parts,
    call: { layout: 'NHWC', anchors: ANCHORS, ...(call as object) },
  });
}

/** Rows for one argument, by their names. */
export function group(
  argument: string,
  scope: Scope,
  bad: Readonly<Record<string, Given | (() => Given)>>,
): Refusal[] {
  return Object.entries(bad).map(([name, given]) => ({
    name,
    argument,
    given: typeof given === 'function' ? given : () => given,
    ...scope,
  }));
}

/** A row for each value of an option, in a call of rows. */
export function eachOption(name: string, scope: Scope, list: readonly unknown[]): Refusal[] {
  return list.flatMap((value) =>
    group(name, scope, { [`${name} ${show(value)}`]: option(name, value) }),
  );
}

/** A row for each value of an argument, in a call of rows. */
export function eachPart(
  part: 'logits' | 'labels' | 'grad',
  argument: string,
  scope: Scope,
  list: readonly unknown[],
): Refusal[] {
  return list.flatMap((value) =>
    group(argument, scope, { [`${part} ${show(value)}`]: rows({ [part]: value }) }),
  );
}

/** How a value reads in the name of a row. */
export function show(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  if (Array.isArray(value)) return `[${Array.from(value, show).join(', ')}]`;
  if (typeof value !== 'object' || value === null || !('data' in value)) return inspect(value);
  const { data, ...rest } = value;
  return `tensor of ${show(data)}, ${inspect(rest)}`;
}
