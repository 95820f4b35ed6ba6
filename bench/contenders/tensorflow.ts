/** What is used of TensorFlow.js, which may not be installed, and the loss in its operations. */
import path from 'node:path';
import { find, load } from '../host/packages';
import { alpha, baseGamma } from '../workload/workload';

export interface Tensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
  dispose(): void;
}

export interface Variable extends Tensor {
  readonly name: string;
  assign(value: Tensor): void;
}

type Operand = Tensor | number;

export interface TensorFlow {
  readonly version: { readonly tfjs: string };
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  enableProdMode(): void;
  tidy<T>(work: () => T): T;
  tensor(values: Float32Array | Int32Array, shape: readonly number[], type?: 'int32'): Tensor;
  zerosLike(x: Tensor): Tensor;
  fill(shape: readonly number[], value: number): Tensor;
  range(start: number, stop: number, step: number, type: 'int32'): Tensor;
  variable(initial: Tensor, trainable?: boolean): Variable;
  add(a: Operand, b: Operand): Tensor;
  sub(a: Operand, b: Operand): Tensor;
  mul(a: Operand, b: Operand): Tensor;
  div(a: Operand, b: Operand): Tensor;
  pow(a: Operand, b: Operand): Tensor;
  abs(x: Tensor): Tensor;
  sum(x: Tensor, axis?: number): Tensor;
  sigmoid(x: Tensor): Tensor;
  softplus(x: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  step(x: Tensor): Tensor;
  equal(a: Operand, b: Operand): Tensor;
  greaterEqual(a: Operand, b: Operand): Tensor;
  cast(x: Tensor, type: 'float32'): Tensor;
  expandDims(x: Tensor, axis: number): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  transpose(x: Tensor): Tensor;
  valueAndGrad(f: (x: Tensor) => Tensor): (x: Tensor) => { value: Tensor; grad: Tensor };
  variableGrads(f: () => Tensor): { value: Tensor; grads: Record<string, Tensor> };
  clipByValue(x: Tensor, least: number, most: number): Tensor;
  customGrad(f: (x: Tensor, save: Save) => CustomGradient): (x: Tensor) => Tensor;
  customGrad(
    f: (a: Tensor, b: Tensor, c: Tensor, save: Save) => CustomGradient,
  ): (a: Tensor, b: Tensor, c: Tensor) => Tensor;
}

/** Keeps tensors for the gradient: others are gone when it is taken. */
export type Save = (tensors: Tensor[]) => void;

interface CustomGradient {
  readonly value: Tensor;
  readonly gradFunc: (dy: Tensor, saved: Tensor[]) => Tensor | Tensor[];
}

export const umbrella = '@tensorflow/tfjs';
export const wasmBackend = '@tensorflow/tfjs-backend-wasm';

/** TensorFlow.js with one of its backends, ready. */
export async function startTensorFlow(backend: 'cpu' | 'wasm'): Promise<TensorFlow> {
  const tf = load(umbrella) as TensorFlow;
  if (backend === 'wasm') {
    const wasm = load(wasmBackend) as { setWasmPaths(folder: string): void };
    wasm.setWasmPaths(path.dirname(find(wasmBackend)!) + path.sep);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`its ${backend} backend did not start`);
  tf.enableProdMode();
  await tf.ready();
  return tf;
}

/** What a batch's labels say, as the composed loss needs it. */
export interface Targets {
  /** rows x classes, whether this is the row's class. */
  readonly positive: Tensor;
  /** -1 for positives, 1 for negatives. */
  readonly sign: Tensor;
  /** alpha_t gamma_j / gamma_b, 0 in ignored rows. */
  readonly weight: Tensor;
}

/** `labels` is rows x 1, `gamma` 1 x classes. */
export function targetsOf(tf: TensorFlow, labels: Tensor, gamma: Tensor): Targets {
  const classes = gamma.shape[1]!;
  const positive = tf.equal(labels, tf.expandDims(tf.range(1, classes + 1, 1, 'int32'), 0));
  const isPositive = tf.cast(positive, 'float32');
  const counts = tf.cast(tf.greaterEqual(labels, 0), 'float32');
  const factor = tf.add(tf.mul(isPositive, 2 * alpha - 1), 1 - alpha);
  return {
    positive,
    sign: tf.sub(1, tf.mul(isPositive, 2)),
    weight: tf.mul(tf.mul(factor, tf.div(gamma, baseGamma)), counts),
  };
}

/**
 * The loss in a stable form, which is also the shortest one: with u = -x for positives and x for
 * negatives, 1 - p_t is sigmoid(u) and -log p_t is softplus(u).
 */
export function composedLoss(tf: TensorFlow, x: Tensor, targets: Targets, gamma: Tensor): Tensor {
  const u = tf.mul(x, targets.sign);
  const modulator = tf.pow(tf.sigmoid(u), gamma);
  return tf.sum(tf.mul(tf.mul(targets.weight, modulator), tf.softplus(u)));
}

/** Sums of |gradient| over positives and negatives. */
export function gradientSums(tf: TensorFlow, gradient: Tensor, positive: Tensor): Tensor[] {
  const magnitude = tf.abs(gradient);
  const ofPositives = tf.mul(magnitude, tf.cast(positive, 'float32'));
  return [tf.sum(ofPositives, 0), tf.sum(tf.sub(magnitude, ofPositives), 0)];
}
