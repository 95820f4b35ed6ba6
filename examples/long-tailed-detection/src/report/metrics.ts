/** metrics.json: every figure of the run, and what it was made with. */
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform } from 'node:os';

import { backends, version } from 'equalized-focal-loss';

import { detectionCaps } from '../config.ts';
import { groupOf } from '../data/counts.ts';
import type { RunDirectory } from '../experiment/run-directory.ts';
import { planSeed } from '../experiment/seed-plan.ts';
import { writeJson } from '../io/files.ts';
import { PACKAGE_FILE } from '../paths.ts';
import type { Summary } from './summary.ts';

export function writeMetrics(directory: RunDirectory, summary: Summary): void {
  writeJson(directory.metricsFile, {
    created: directory.created,
    environment: environment(),
    data: describeData(summary),
    ...summary,
  });
}

export interface Environment {
  cpu: string;
  cores: number;
  platform: string;
  node: string;
  backend: string;
  versions: Record<string, string>;
}

export function environment(): Environment {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    platform: `${platform()}-${arch()}`,
    node: process.version,
    backend: backends().find(({ name }) => name === 'cpu')?.detail ?? 'unknown',
    versions: { 'equalized-focal-loss': version, ...dependencyVersions() },
  };
}

function dependencyVersions(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return dependencies;
}

export interface DataDescription {
  classes: Record<string, number>;
  /** Cap on the detections per image behind `apBudget`. */
  detectionBudget: number;
  trainingObjects: number;
  imagesOfMostFrequentClass: number;
  imagesOfRarestClass: number;
}

export function describeData({ config }: Pick<Summary, 'config'>): DataDescription {
  const { counts, groupCounts } = planSeed(config, config.seeds[0], config.classes);
  const classes: Record<string, number> = { rare: 0, common: 0, frequent: 0 };
  for (const count of groupCounts) classes[groupOf(count)]++;
  return {
    classes,
    detectionBudget: detectionCaps(config.classes).apBudget,
    trainingObjects: counts.reduce((sum, n) => sum + n, 0),
    imagesOfMostFrequentClass: Math.max(...counts),
    imagesOfRarestClass: Math.min(...counts),
  };
}
