/**
 * Average precision against training length: what `npm run study` has measured, summed up in a file of
 * this repository (scripts/update-study.mjs of the package root makes it).
 */
import { existsSync, readFileSync } from 'node:fs';

import type { ApName, LossName } from './config.ts';
import type { GroupFigures } from './evaluation/groups.ts';
import { TRAINING_LENGTH_FILE } from './paths.ts';

interface MeanAndDeviation {
  mean: number;
  deviation: number;
}

type Figures = Record<ApName, Record<keyof GroupFigures, MeanAndDeviation>>;

export interface TrainingLength {
  seeds: number[];
  /** Seeds on which the learning rates were chosen. */
  tuningSeeds: number[];
  /** Of each length: the learning rates, and the length at which they were chosen. */
  rates: { epochs: number; tunedAt: number; rates: Record<LossName, number> }[];
  losses: { loss: LossName; epochs: number; ap: Figures }[];
  /** `loss` minus `baseline` in points, seed by seed. */
  differences: { loss: LossName; baseline: LossName; epochs: number; ap: Figures }[];
}

export function loadTrainingLength(file = TRAINING_LENGTH_FILE): TrainingLength | undefined {
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')) as TrainingLength;
}
