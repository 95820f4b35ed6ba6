/**
 * What is used of TensorFlow.js, so that this package compiles without it: it is an optional peer.
 * Users' compilers see its own declarations; test/adapters/tfjs compiles this folder with them, too.
 */
declare module '@tensorflow/tfjs-core' {
  export enum Rank {
    R0 = 'R0',
    R4 = 'R4',
  }
  export type DataType = 'float32' | 'int32' | 'bool' | 'complex64' | 'string';
  export interface TensorInfo {
    dataId: object;
    shape: number[];
    dtype: DataType;
  }
  export class Tensor<R extends Rank = Rank> implements TensorInfo {
    readonly dataId: object;
    readonly shape: number[];
    readonly dtype: DataType;
    readonly rankType: R;
    readonly rank: number;
    readonly size: number;
    dataSync(): Float32Array | Int32Array | Uint8Array;
    dispose(): void;
  }
  export type Scalar = Tensor<Rank.R0>;
  export type Tensor4D = Tensor<Rank.R4>;
  type Operand = Tensor | number;

  export type NamedTensorInfoMap = Record<string, TensorInfo | undefined>;
  export type NamedAttrMap = Record<string, never>;
  export interface KernelConfig {
    kernelName: string;
    backendName: string;
    kernelFunc(params: {
      inputs: NamedTensorInfoMap;
      attrs?: NamedAttrMap;
      backend: object;
    }): TensorInfo | TensorInfo[];
  }
  export interface GradConfig {
    kernelName: string;
    inputsToSave?: string[];
    gradFunc(
      dy: Tensor | Tensor[],
      saved: Tensor[],
      attrs: NamedAttrMap,
    ): Record<string, () => Tensor>;
  }
  export function getKernel(kernelName: string, backendName: string): KernelConfig | undefined;
  export function registerKernel(config: KernelConfig): void;
  export function unregisterKernel(kernelName: string, backendName: string): void;
  export function getGradient(kernelName: string): GradConfig | undefined;
  export function registerGradient(config: GradConfig): void;

  export interface Engine {
    runKernel<T extends Tensor>(
      kernelName: string,
      inputs: Record<string, Tensor>,
      attrs?: NamedAttrMap,
    ): T;
    makeTensorFromTensorInfo(info: TensorInfo): Tensor;
  }
  export function engine(): Engine;
  export function backend(): object;
  export function getBackend(): string;
  export function tidy<T extends Tensor>(work: () => T): T;
  export type GradSaveFunc = (save: Tensor[]) => void;
  export function customGrad<T extends Tensor>(
    f: (...args: (Tensor | GradSaveFunc)[]) => {
      value: T;
      gradFunc: (dy: T, saved: Tensor[]) => Tensor;
    },
  ): (...args: Tensor[]) => T;

  export function tensor(
    values: Float32Array | Int32Array,
    shape: number[],
    dtype?: DataType,
  ): Tensor;
  export function scalar(value: number): Scalar;
  export function range(start: number, stop: number, step: number, dtype: DataType): Tensor;
  export function zeros(shape: number[]): Tensor;
  export function cast(x: Tensor, dtype: DataType): Tensor;
  export function reshape(x: Tensor, shape: number[]): Tensor;
  export function transpose<T extends Tensor>(x: T, permutation?: number[]): T;
  export function reverse<T extends Tensor>(x: T, axes: number[]): T;
  export function slice<T extends Tensor>(x: T, begin: number[], size: number[]): T;
  export function pad<T extends Tensor>(x: T, paddings: [number, number][]): T;
  export function concat<T extends Tensor>(tensors: T[], axis: number): T;
  export function matMul(a: Tensor, b: Tensor): Tensor;
  export function conv2d(
    x: Tensor4D,
    filter: Tensor4D,
    strides: number | [number, number],
    pad: 'same' | 'valid',
    dataFormat?: 'NHWC',
    dilations?: number | [number, number],
  ): Tensor4D;
  export function add(a: Operand, b: Operand): Tensor;
  export function sub(a: Operand, b: Operand): Tensor;
  export function mul(a: Operand, b: Operand): Tensor;
  export function div(a: Operand, b: Operand): Tensor;
  export function pow(a: Operand, b: Operand): Tensor;
  export function maximum(a: Operand, b: Operand): Tensor;
  export function equal(a: Operand, b: Operand): Tensor;
  export function greater(a: Operand, b: Operand): Tensor;
  export function greaterEqual(a: Operand, b: Operand): Tensor;
  export function where(condition: Tensor, a: Operand, b: Operand): Tensor;
  export function abs(x: Tensor): Tensor;
  export function neg(x: Tensor): Tensor;
  export function exp(x: Tensor): Tensor;
  export function log1p(x: Tensor): Tensor;
  export function relu(x: Tensor): Tensor;
  export function sigmoid(x: Tensor): Tensor;
  export function sign(x: Tensor): Tensor;
  export function isFinite(x: Tensor): Tensor;
  export function sum(x: Tensor, axis?: number): Tensor;

  interface Conv2DInfo {
    dataFormat: 'channelsFirst' | 'channelsLast';
    strideHeight: number;
    strideWidth: number;
    filterHeight: number;
    filterWidth: number;
    inHeight: number;
    inWidth: number;
    outHeight: number;
    outWidth: number;
    padInfo: { top: number; left: number };
  }
  type Shape4D = [number, number, number, number];
  export interface Conv2DBackpropInputAttrs {
    strides: [number, number] | number;
    pad: 'valid' | 'same' | number;
    dataFormat: 'NHWC' | 'NCHW';
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
    inputShape: Shape4D;
  }
  export interface Conv2DBackpropFilterAttrs extends Omit<Conv2DBackpropInputAttrs, 'inputShape'> {
    filterShape: Shape4D;
  }
  export const backend_util: {
    computeConv2DInfo(
      inShape: Shape4D,
      filterShape: Shape4D,
      strides: number | [number, number],
      dilations: number | [number, number],
      pad: 'same' | 'valid' | number,
      roundingMode?: 'floor' | 'round' | 'ceil',
      depthwise?: boolean,
      dataFormat?: 'channelsFirst' | 'channelsLast',
    ): Conv2DInfo;
    convertConv2DDataFormat(format: 'NHWC' | 'NCHW'): 'channelsLast' | 'channelsFirst';
  };
}
