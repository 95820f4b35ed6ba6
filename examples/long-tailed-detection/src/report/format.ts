/** Figures and names as the console and the page write them. */
import { detectionCaps, type ApName } from '../config.ts';
import type { Difference, Spread } from './summary.ts';

type MeanAndSpread = Pick<Spread, 'mean' | 'deviation'>;

export const differenceTitle = ({
  loss,
  baseline,
}: Pick<Difference, 'loss' | 'baseline'>): string =>
  `${loss.toUpperCase()} minus ${baseline.toUpperCase()}`;

export function formatSpread(
  { mean, deviation }: MeanAndSpread,
  signed = false,
  digits = 1,
): string {
  const spread = deviation === undefined ? '' : ` ± ${deviation.toFixed(digits)}`;
  return `${signed ? formatSigned(mean, digits) : mean.toFixed(digits)}${spread}`;
}

export function formatSigned(value: number, digits = 1): string {
  const text = value.toFixed(digits);
  if (Number(text) === 0) return text.replace('-', '');
  return value > 0 ? `+${text}` : text;
}

export const plural = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Names of things are those of their files: "old-woman". */
export const displayName = (name: string): string => name.replaceAll('-', ' ');

/** "21, 22 and 23". */
export function enumerate(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** The cap behind a figure, in words that follow "at" or stand alone. */
export function capTitle(name: ApName, classes: number): string {
  const cap = detectionCaps(classes)[name];
  return Number.isFinite(cap) ? `at most ${cap} detections per image` : 'no cap on detections';
}
