import type { Spread } from '../report/report';
import { generator } from '../workload/workload';

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => quantile(sorted, share);
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
}

function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(position)]!, sorted[Math.ceil(position)]!];
  return below + (above - below) * (position % 1);
}

/** Round by round: what disturbed both alike is in neither's favour. */
export function ratioOf(times: readonly number[], others: readonly number[]): Spread {
  return spreadOf(times.map((time, round) => time / others[round]!));
}

/** A figure that was taken once. */
export function single(value: number): Spread {
  return { median: value, lower: value, upper: value };
}

/** Another order for each seed, and the same one each time for the same. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = generator(seed);
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
