/** What is asked of a worker and what it answers. Large arrays are in shared memory, never copied. */
import type { ExperimentConfig, LossName } from '../config.ts';
import type { SceneRecipe } from '../data/scenes.ts';
import type { SpriteSheet } from '../data/sprites.ts';
import type { ClassFigures, TestObjects } from '../evaluation/evaluate.ts';
import type { ImageDetections } from '../evaluation/operating-point.ts';
import type { History } from '../training/history.ts';
import type { TrainingData } from '../training/sampler.ts';

/** Part of every task: what its progress is reported under, and the flag that tells it to stop. */
export interface TaskControl {
  id: string;
  /** One value in shared memory; not 0 means stop. */
  stop: Int32Array;
}

export interface SceneTask extends TaskControl {
  sheet: SpriteSheet;
  recipe: SceneRecipe;
}

export interface FeatureTask extends TaskControl {
  pixels: Uint8Array;
  /** Images `from` up to, not including, `to`. */
  from: number;
  to: number;
  mirrored: boolean;
  /** Features of all images, in shared memory; this task writes its own part. */
  features: Float32Array;
}

export interface TestData extends TestObjects {
  features: Float32Array;
}

export interface TrainTask extends TaskControl {
  loss: LossName;
  seed: number;
  config: ExperimentConfig;
  counts: readonly number[];
  data: TrainingData;
  test: TestData;
  files: TrainingFiles;
}

export interface TrainingFiles {
  checkpoint: string;
  /** Final statistics of the criterion, for `efl inspect`. */
  criterionState: string;
  tensorboard: string;
}

export interface TrainedLoss {
  loss: LossName;
  seed: number;
  steps: number;
  perClass: ClassFigures[];
  /** On every test scene; the report shows a few of them. */
  mostCertain: ImageDetections[];
  history: History;
  /** Per class, only for Equalized Focal Loss. */
  gradientRatio?: number[];
  focusingFactor?: number[];
}

/** Undefined: stopped on request, with a checkpoint written if training had begun. */
export type TrainOutcome = TrainedLoss | undefined;

/** Posted to the main thread while a task runs. */
export interface ProgressMessage {
  id: string;
  done: number;
  total: number;
  detail?: string;
}
