export {
  sigmoidFocalLoss,
  sigmoidFocalLossWithGrad,
  type SigmoidFocalLossGradOptions,
  type SigmoidFocalLossOptions,
  type SigmoidFocalLossOutput,
} from './sigmoid-focal-loss';
