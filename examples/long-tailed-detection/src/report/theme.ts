/**
 * Colours of the page and its charts, for light and for dark. Charts name them as CSS variables, so
 * that one drawing does for both. Text and what carries meaning keep a contrast of 4.5 : 1 or more.
 */
import type { LossName } from '../config.ts';
import type { Group } from '../data/counts.ts';

const LIGHT = {
  page: '#ffffff',
  raised: '#f4f6f8',
  ink: '#17202b',
  muted: '#515c6b',
  line: '#d5dbe2',
  grid: '#e7eaee',
  accent: '#1f5fa8',
  ce: '#5f6b7a',
  fl: '#1f66b0',
  efl: '#c43d17',
  rare: '#9c1276',
  common: '#96560a',
  frequent: '#0b7268',
  found: '#0b7433',
  missed: '#8a5a00',
  wrong: '#b3211a',
};

type Palette = typeof LIGHT;
export type Paint = keyof Palette;

const DARK: Palette = {
  page: '#10151b',
  raised: '#19212a',
  ink: '#e7ebf0',
  muted: '#a5b0bd',
  line: '#35404c',
  grid: '#26303a',
  accent: '#7db7f5',
  ce: '#9ba7b5',
  fl: '#64a6ec',
  efl: '#ff8159',
  rare: '#ea7ccc',
  common: '#e9a548',
  frequent: '#4bc3b3',
  found: '#5fd08a',
  missed: '#e9b44c',
  wrong: '#ff8a80',
};

export const paint = (name: Paint): string => `var(--${name})`;

export const lossPaint = (loss: LossName): string => paint(loss);
export const groupPaint = (group: Group): string => paint(group);

/** How lines of a loss and of a group differ besides their colour. */
export const LOSS_DASHES: Readonly<Record<LossName, number[]>> = {
  ce: [2, 3],
  fl: [7, 4],
  efl: [1, 0],
};
export const GROUP_DASHES: Readonly<Record<Group, number[]>> = {
  rare: [1, 0],
  common: [7, 4],
  frequent: [2, 3],
};
export const LOSS_SHAPES: Readonly<Record<LossName, string>> = {
  ce: 'triangle-up',
  fl: 'square',
  efl: 'circle',
};
export const GROUP_SHAPES: Readonly<Record<Group, string>> = {
  rare: 'circle',
  common: 'square',
  frequent: 'triangle-up',
};

const declarations = (palette: Palette): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';');

/** Paper is light, whatever the screen is. */
export const themeCss = (selector: string): string =>
  `${selector}{${declarations(LIGHT)}}` +
  `@media screen and (prefers-color-scheme:dark){${selector}{${declarations(DARK)}}}`;
