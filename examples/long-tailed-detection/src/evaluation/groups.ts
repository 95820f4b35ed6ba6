/** Means over the classes of each frequency group. */
import { GROUPS, groupOf, type Group } from '../data/counts.ts';

export type GroupFigures = Record<Group | 'all', number>;

export const GROUPS_AND_ALL: readonly (Group | 'all')[] = [...GROUPS, 'all'];

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** `values` and `counts` (images per class, which decide the group) by class. */
export function groupMeans(values: readonly number[], counts: readonly number[]): GroupFigures {
  const inGroup = (group: Group | 'all'): number[] =>
    values.filter((_, c) => group === 'all' || groupOf(counts[c]) === group);
  const figures = GROUPS_AND_ALL.map((group) => [group, mean(inGroup(group))]);
  return Object.fromEntries(figures) as GroupFigures;
}
