/** Everything a run depends on. Stored with the run, so that a resumed run is the same run. */
export type LossName = 'ce' | 'fl' | 'efl';

export const LOSS_NAMES: readonly LossName[] = ['ce', 'fl', 'efl'];

export const LOSS_TITLES: Readonly<Record<LossName, string>> = {
  ce: 'Cross-entropy',
  fl: 'Focal Loss',
  efl: 'Equalized Focal Loss',
};

export interface ExperimentConfig {
  losses: LossName[];
  seeds: number[];
  /** Target classes. */
  classes: number;
  epochs: number;
  /** LVIS's long tail, or the same number of objects spread evenly. */
  balanced: boolean;
  testImagesPerClass: number;
  batchSize: number;
  hiddenUnits: number;
  learningRates: Record<LossName, number>;
  /**
   * Score of every class before training, through the bias of the classifier. Like the learning rate
   * it is what suits the loss: cross-entropy is a third worse when it starts at .1.
   */
  priors: Record<LossName, number>;
  momentum: number;
  weightDecay: number;
  gamma: number;
  alpha: number;
  scaleFactor: number;
}

export const DEFAULT_CONFIG: ExperimentConfig = {
  losses: [...LOSS_NAMES],
  // The first of the seeds whose figures README.md shows.
  seeds: [21],
  classes: 120,
  epochs: 6,
  balanced: false,
  testImagesPerClass: 20,
  batchSize: 32,
  hiddenUnits: 128,
  learningRates: { ce: 0.1, fl: 0.3, efl: 0.3 },
  priors: { ce: 0.01, fl: 0.1, efl: 0.1 },
  momentum: 0.9,
  weightDecay: 1e-4,
  gamma: 2,
  alpha: 0.25,
  scaleFactor: 4,
};

/** What `--quick` changes. */
export const QUICK_CONFIG: Partial<ExperimentConfig> = {
  losses: ['fl', 'efl'],
  classes: 60,
  epochs: 4,
};

/** Average precision under three caps on the detections per image; `apBudget` is the main figure. */
export type ApName = 'apBudget' | 'ap100' | 'apUncapped';

export const AP_NAMES: readonly ApName[] = ['apBudget', 'ap100', 'apUncapped'];

/** LVIS allows 300 detections per image for 1,203 classes; in proportion, 120 classes get 30. */
export const detectionCaps = (classes: number): Record<ApName, number> => ({
  apBudget: Math.round((classes * 300) / 1203),
  ap100: 100,
  apUncapped: Infinity,
});
