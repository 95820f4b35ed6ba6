export { FocalLoss } from './criteria/focal-loss';
export { EqualizedFocalLoss } from './criteria/equalized-focal-loss';
export type { Criterion } from './criteria/criterion';
export type {
  EqualizedFocalLossOptions,
  FocalLossOptions,
  Reduction,
  ResolvedEqualizedOptions,
  ResolvedOptions,
} from './criteria/options';
export type {
  AsyncCall,
  BackwardCall,
  CollectCall,
  ForwardCall,
  GradientCall,
  Layout,
} from './criteria/call-options';
export type { CollectOutput, LossOutput } from './criteria/outcome';
export type { LoadableState, StateDict, Statistics } from './state/statistics';
export type { Background, Labels } from './tensors/labels';
export type { Logits } from './tensors/logits';
export type { DType, FormOf, HostTensor, TensorLike } from './tensors/tensor';

export * as functional from './functional';
export { priorBias } from './criteria/prior-bias';
export { repeatFactors, type RepeatFactorOptions } from './sampling/repeat-factors';
export { backends, type BackendStatus, type Device } from './backends';
export { version } from './version';

export {
  EflAbortError,
  EflArgumentError,
  EflBackendUnavailableError,
  EflDisposedError,
  EflError,
  EflLoadError,
  EflOutOfMemoryError,
  EflQueueFullError,
  type BackendFailure,
  type LoadAttempt,
  type LoadFailure,
} from './errors';
