/** A row of the table made good in a call of one kind: refused, and nothing has changed. */
import { CudaTensor } from '../../../lib';
import { criterionOf, FAMILY, isStateful } from '../family';
import type { Member } from '../family';
import { expectArgumentError, rejectionOf, stateOf, thrownBy } from '../harness';
import { KINDS } from '../kinds';
import { uploaded } from '../uploads';
import { CLASSES } from './refusal';
import type { Given, Method, Refusal, Upload } from './refusal';

/** A kind of call. */
export interface Way {
  readonly name: string;
  readonly method: Method;
  readonly asynchronous: boolean;
  /** What of it is on a device; left out, all is on the host. */
  readonly upload?: Upload;
}

export type Case = readonly [name: string, loss: string, row: Refusal, one: Member];

export function waysOf(upload?: Upload): Way[] {
  return (['forward', 'forwardBackward', 'collectGrad'] as const).flatMap((method) =>
    [false, true].map((asynchronous) => ({
      name: asynchronous ? `${method}Async` : method,
      method,
      asynchronous,
      ...(upload && { upload }),
    })),
  );
}

/** The rows of a table that are for this way, with each loss that they are for. */
export function casesOf(table: readonly Refusal[], way: Way): Case[] {
  return table
    .filter((row) => isFor(row, way))
    .flatMap((row) => lossesOf(row, way).map((one): Case => [row.name, one.name, row, one]));
}

function isFor(
  { methods = ['forward', 'forwardBackward'], onlyAsync, device = [] }: Refusal,
  way: Way,
): boolean {
  const isThere = way.upload === undefined || device.includes(way.upload);
  return isThere && methods.includes(way.method) && (way.asynchronous || !onlyAsync);
}

const plainLosses = FAMILY.filter(({ kind }) => kind === 'focal' || kind === 'equalizedFocal');

function lossesOf({ losses = plainLosses }: Refusal, { method }: Way): readonly Member[] {
  return losses.filter(({ kind }) => method !== 'collectGrad' || KINDS[kind].ratio);
}

type Calls = Record<string, (...given: readonly unknown[]) => unknown>;

export async function expectRefusal(row: Refusal, one: Member, way: Way): Promise<void> {
  const criterion = criterionOf(one, { numClasses: CLASSES, ...row.options });
  const given = onDevice({ ...row.given() }, way.upload);
  const isWritten = way.upload !== undefined && row.isValue;
  const parts = isWritten ? { ...given, grad: undefined } : given;
  const contents = () => contentsOf([parts, isStateful(criterion) && stateOf(criterion)]);
  const before = contents();
  const make = () => (criterion as unknown as Calls)[way.name]!(...parametersOf(given, way));
  const error = way.asynchronous
    ? await rejectionOf(make() as Promise<unknown>)
    : thrownBy(() => read(make()));
  expectError(error, row, way);
  expect(contents()).toEqual(before);
  criterion.dispose();
}

function parametersOf({ logits, labels, grad, call }: Given, { method }: Way): unknown[] {
  const writes = method === 'forwardBackward' && grad !== undefined;
  return [logits, labels, writes ? { grad, ...(call as object) } : call];
}

/** A result of a device says what was wrong with its call when it is read. */
function read(output: unknown): unknown {
  return (output as { positives: number }).positives;
}

function expectError(error: unknown, row: Refusal, { method }: Way): void {
  const isCollect = method === 'collectGrad';
  const name = isCollect ? row.argument.replace(/^logits/, 'grads') : row.argument;
  const refused = expectArgumentError(error, name);
  if (row.received !== undefined) expectText(refused.received, row.received);
  if (row.expected !== undefined) expectText(refused.expected, row.expected);
}

function expectText(text: string, wanted: string | RegExp): void {
  if (typeof wanted === 'string') expect(text).toBe(wanted);
  else expect(text).toMatch(wanted);
}

/** A copy of what is in a value: of the whole memory where it has some. */
function contentsOf(value: unknown): unknown {
  if (value instanceof CudaTensor) return contentsOf(value.toHost().data);
  if (ArrayBuffer.isView(value)) {
    const { buffer } = value;
    return buffer.byteLength === 0 ? '' : Buffer.from(new Uint8Array(buffer)).toString('hex');
  }
  if (Array.isArray(value)) return value.map(contentsOf);
  if (typeof value !== 'object' || value === null) return value;
  return 'data' in value ? contentsOf(value.data) : Object.values(value).map(contentsOf);
}

/** The same call with device tensors in place of what can be one. */
function onDevice(given: Given, upload: Upload | undefined): Given {
  if (upload === undefined) return given;
  const { logits, labels, grad, call } = given;
  const isRows = logits instanceof Float32Array && logits.length % CLASSES === 0;
  const shaped = isRows ? { data: logits, shape: [logits.length / CLASSES, CLASSES] } : logits;
  const ours = { logits: uploaded(shaped), grad: uploaded(grad) };
  return upload === 'logits'
    ? { ...ours, labels, call }
    : { ...ours, labels: uploaded(labels), call: mapValues(call, uploaded) };
}

function mapValues(call: unknown, change: (value: unknown) => unknown): unknown {
  if (typeof call !== 'object' || call === null || Array.isArray(call)) return call;
  return Object.fromEntries(Object.entries(call).map(([name, value]) => [name, change(value)]));
}
