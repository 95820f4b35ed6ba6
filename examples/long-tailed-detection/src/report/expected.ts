/**
 * The figures of README.md, for a run with the same settings to be compared with. They are in a file
 * of this repository, which scripts/update-results.mjs of the package root makes from the run that
 * README.md shows.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

import { LOSS_TITLES, type ApName, type ExperimentConfig, type LossName } from '../config.ts';
import { GROUPS_AND_ALL } from '../evaluation/groups.ts';
import { EXPECTED_FILE } from '../paths.ts';
import type { GroupSpread, Summary } from './summary.ts';

export interface Expected {
  config: ExperimentConfig;
  losses: { loss: LossName; ap: Record<ApName, GroupSpread> }[];
}

/** Standard deviations within which a run with the same settings is expected. */
export const EXPECTED_WITHIN = 3;

/** Undefined where this run has other settings, or is the very run that README.md shows. */
export function expectedFor(config: ExperimentConfig): Expected | undefined {
  if (!existsSync(EXPECTED_FILE)) return undefined;
  const expected = JSON.parse(readFileSync(EXPECTED_FILE, 'utf8')) as Expected;
  if (isDeepStrictEqual(expected.config.seeds, config.seeds)) return undefined;
  const { losses, seeds } = expected.config;
  return isDeepStrictEqual(expected.config, { ...config, losses, seeds }) ? expected : undefined;
}

export function ofRun(expected: Expected, { config }: Pick<Summary, 'config'>): Expected['losses'] {
  return expected.losses.filter(({ loss }) => config.losses.includes(loss));
}

/** Where a run is further from README.md than its spread explains. */
export function deviations(expected: Expected, summary: Summary): string[] {
  return ofRun(expected, summary).flatMap(({ loss, ap }) => {
    const own = summary.losses.find((report) => report.loss === loss)!.ap.apBudget;
    return GROUPS_AND_ALL.filter((group) => {
      const { mean, deviation = 0 } = ap.apBudget[group];
      return Math.abs(own[group].mean - mean) > EXPECTED_WITHIN * deviation;
    }).map((group) => `${LOSS_TITLES[loss]} (${group})`);
  });
}

export function describeAgreement(expected: Expected, summary: Summary): string {
  const outside = deviations(expected, summary);
  const within = `within ${EXPECTED_WITHIN} standard deviations of them`;
  if (outside.length === 0) return `Every figure of this run lies ${within}.`;
  return `Of this run, ${outside.join(', ')} does not lie ${within}.`;
}
