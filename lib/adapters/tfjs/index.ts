/** TensorFlow.js: `equalized-focal-loss/tfjs`, with `@tensorflow/tfjs-core` as its peer. */
export { tfLoss, type TfLoss } from './tf-loss';
export type { TfLossOptions } from './check-options';
export { registerEqualizedFocalLoss, type LossAttributes } from './kernel';
export { enableFastWasmGradients } from './fast-wasm-gradients';
export {
  saveStateCallback,
  StatisticsCallback,
  type ClassGroups,
  type StatisticsCallbackOptions,
} from './callbacks';
