export { FocalLoss } from './criteria/focal-loss';
export { EqualizedFocalLoss } from './criteria/equalized-focal-loss';
export { QualityFocalLoss } from './criteria/quality-focal-loss';
export { EqualizedQualityFocalLoss } from './criteria/equalized-quality-focal-loss';
export { EqualizationLossV2 } from './criteria/equalization-loss-v2';
export { EqualizationLoss } from './criteria/equalization-loss';
export { AdaptiveClassSuppressionLoss } from './criteria/adaptive-class-suppression-loss';
export { VarifocalLoss } from './criteria/varifocal-loss';
export { EqualizedVarifocalLoss } from './criteria/equalized-varifocal-loss';
export { IouAwareBceLoss } from './criteria/iou-aware-bce-loss';
export { MatchabilityAwareLoss } from './criteria/matchability-aware-loss';
export { AsymmetricLoss } from './criteria/asymmetric-loss';
export { EffectiveClassMarginLoss } from './criteria/effective-class-margin-loss';
export type { Criterion } from './criteria/criterion';
export type { EqualizedCriterion } from './criteria/equalized-criterion';
export type {
  CriterionOptions,
  Reduction,
  ResolvedCriterionOptions,
  ResolvedSmoothingOptions,
  SmoothingOptions,
} from './criteria/options';
export type { ClassCounts, ClassValues } from './tensors/class-values';
export type { FocalLossOptions, ResolvedOptions } from './criteria/focal-loss';
export type {
  EqualizedFocalLossOptions,
  ResolvedEqualizedOptions,
} from './criteria/equalized-focal-loss';
export type {
  QualityFocalLossOptions,
  ResolvedQualityOptions,
} from './criteria/quality-focal-loss';
export type {
  EqualizedQualityFocalLossOptions,
  ResolvedEqualizedQualityOptions,
} from './criteria/equalized-quality-focal-loss';
export type {
  CommitOptions,
  DiagnoseOptions,
  MergeOptions,
  ResolvedStatisticsOptions,
  StatisticsOptions,
} from './criteria/equalized-criterion';
export type {
  EqualizationLossV2Options,
  ResolvedEqualizationV2Options,
} from './criteria/equalization-loss-v2';
export type {
  EqualizationLossOptions,
  ResolvedEqualizationOptions,
} from './criteria/equalization-loss';
export type {
  AdaptiveClassSuppressionLossOptions,
  ResolvedClassSuppressionOptions,
} from './criteria/adaptive-class-suppression-loss';
export type { ResolvedVarifocalOptions, VarifocalLossOptions } from './criteria/varifocal-loss';
export type {
  EqualizedVarifocalLossOptions,
  ResolvedEqualizedVarifocalOptions,
} from './criteria/equalized-varifocal-loss';
export type {
  IouAwareBceLossOptions,
  ResolvedIouAwareOptions,
} from './criteria/iou-aware-bce-loss';
export type {
  MatchabilityAwareLossOptions,
  ResolvedMatchabilityOptions,
} from './criteria/matchability-aware-loss';
export type { AsymmetricLossOptions, ResolvedAsymmetricOptions } from './criteria/asymmetric-loss';
export type {
  EffectiveClassMarginLossOptions,
  ResolvedClassMarginOptions,
} from './criteria/effective-class-margin-loss';
export type {
  AsyncCall,
  BackwardCall,
  CollectCall,
  ForwardCall,
  GradientCall,
} from './calls/call-options';
export type { Labels, Logits, Mask, Quality, RowWeight, Targets } from './calls/arguments';
export type { CollectOutput, ElementsOf, FormOf, LossOf, LossOutput } from './calls/results';
export type { Finding, FindingKind } from './state/diagnosis';
export type { LoadableState, LoadStateOptions, StateDict, Statistics } from './state/statistics';
export type { Background, HostLabelValues, IntegerArray } from './tensors/labels';
export type { ChannelOrder, FormatOptions, Layout } from './tensors/layout';
export type { ArrowVector, DimsTensor, StridedView } from './tensors/foreign';
export type { Float16Values } from './tensors/float16';
export type { DType, ForeignTensor, HostTensor, HostValues, TensorLike } from './tensors/tensor';

export { CudaGraph } from './cuda/cuda-graph';
export { CudaEvent, CudaStream, type WrapStreamOptions } from './cuda/cuda-stream';
export {
  CudaTensor,
  type CopyOptions,
  type CudaTensorOptions,
  type FromHostOptions,
  type WrapOptions,
} from './cuda/cuda-tensor';
export type { CudaDType, HostCopy, HostLabels } from './cuda/host-source';
export { memoryInfo, type MemoryInfo } from './cuda/memory-info';

export * as functional from './functional';
export { priorBias } from './criteria/prior-bias';
export {
  effectiveNumberWeights,
  inverseFrequencyWeights,
  type EffectiveNumberOptions,
  type InverseFrequencyOptions,
} from './weights/class-weights';
export { weightsByLabel, type WeightsByLabelOptions } from './weights/row-weights';
export { federatedClasses, type FederatedClassesOptions } from './sampling/federated-classes';
export { repeatFactors, type RepeatFactorOptions } from './sampling/repeat-factors';
export {
  RepeatFactorSampler,
  type EpochShare,
  type RepeatFactorSamplerOptions,
  type SamplerState,
} from './sampling/repeat-factor-sampler';
export { backends, type BackendStatus, type Device } from './backends';
export { version } from './version';

export {
  EflAbortError,
  EflArgumentError,
  EflBackendUnavailableError,
  EflCudaError,
  EflDisposedError,
  EflError,
  EflLoadError,
  EflOutOfMemoryError,
  EflQueueFullError,
  type BackendFailure,
  type LoadAttempt,
  type LoadFailure,
} from './errors';
