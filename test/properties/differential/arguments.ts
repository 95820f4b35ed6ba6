/** The arguments of a call. */

import type { HostTensor } from '../../../lib';
import type { Values } from '../../reference/harness';
import { rowOf } from '../../reference/targets';
import { Sample } from './sample';
import type { Options, Plan, Scenario } from './scenario';

/** The arguments of a call, and what the reference is to be given in place of them. */
export interface Arguments {
  readonly sample: Sample;
  readonly logits: Values;
  readonly targets: unknown;
  readonly call: Readonly<Record<string, unknown>>;
  /** Where the gradient goes. */
  readonly grad: Values | undefined;
}

export function argumentsOf(given: Plan, scenario: Scenario): Arguments {
  const sample = new Sample(given, scenario);
  const { method } = given;
  const logits = sample.shaped(sample.logits, sample.dtype);
  const grad = { into: () => sample.shaped(sample.upstream, sample.dtype), inPlace: () => logits };
  const target = method === 'into' || method === 'inPlace' ? grad[method]() : undefined;
  const targets =
    sample.dense === undefined
      ? sample.byRow(sample.labels, given.labelsAreTyped)
      : sample.shaped(sample.dense, 'float32');
  return { sample, logits, targets, grad: target, call: callOf(given, scenario, sample, target) };
}

function callOf(
  given: Plan,
  { options }: Scenario,
  sample: Sample,
  grad: Values | undefined,
): Record<string, unknown> {
  const { method, normalizer, lossScale, collect } = given;
  const { reduction = 'sum' } = options;
  if (method === 'collectGrad') {
    return { ...sample.format, lossScale, ...(collect === 'defer' && { collect }) };
  }
  const forward = {
    ...sample.format,
    ...(reduction === 'sum' && { normalizer }),
    ...(sample.quality && { quality: sample.byRow(sample.quality, true) }),
    ...(sample.rowWeight && {
      rowWeight: sample.byRow(sample.rowWeight, given.spoilt || given.labelsAreTyped),
    }),
    ...(sample.mask && { mask: sample.shapedBytes(sample.mask) }),
    ...(sample.classMask && { classMask: sample.classMask }),
  };
  if (method === 'forward') return { ...forward, equalize: given.equalize };
  const isElements = given.gradOutput === 'elements';
  const gradOutput = !isElements
    ? given.gradOutput
    : reduction === 'none'
      ? sample.shaped(sample.upstream, 'float32')
      : undefined;
  const transfer = method === 'transfer' && given.asynchronous ? { transfer: true } : {};
  return { ...forward, gradOutput, lossScale, collect, ...(grad && { grad }), ...transfer };
}

/**
 * Puts one bad value into them: a label, a target, a weight or a quality. The name of the argument it is in;
 * undefined where there is no place for it.
 */
export function spoil({ sample, targets, call }: Arguments, options: Options): string | undefined {
  const { seed, form } = sample.plan;
  const inLevel = (values: unknown, row: number): { part: unknown; row: number } => {
    const place = sample.placeOf(row);
    return form === 'list'
      ? { part: (values as readonly unknown[])[place.level], row: place.row }
      : { part: values, row };
  };
  if (sample.rows === 0) return undefined;
  if (sample.rowWeight) {
    const { part, row } = inLevel(call['rowWeight'], seed % sample.rows);
    (part as Float32Array)[row] = [-1, NaN, Infinity][seed % 3]!;
    return 'rowWeight';
  }
  // What is left out is not looked at.
  if (sample.mask ?? sample.classMask) return undefined;
  if (sample.dense) {
    const { part, row } = inLevel(targets, seed % sample.rows);
    const data = ArrayBuffer.isView(part) ? part : (part as HostTensor).data;
    // Some element of it, in any layout.
    (data as Float32Array)[row * sample.columns] = seed % 2 ? NaN : 1.5;
    return 'targets';
  }
  const rated = sample.labels.findIndex((label) => typeof rowOf(label, options) === 'number');
  const isQuality = call['quality'] !== undefined && rated >= 0 && seed % 2 === 0;
  const { part, row } = inLevel(
    isQuality ? call['quality'] : targets,
    isQuality ? rated : seed % sample.rows,
  );
  (part as number[])[row] = isQuality ? -0.5 : 7777;
  return isQuality ? 'quality' : 'labels';
}
