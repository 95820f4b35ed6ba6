/** Values from the float64 formulas, to check another implementation by. */
import { denseElement } from '../reference/dense';
import { alphaWeights, focalElement } from '../reference/element';
import { KINDS } from '../reference/kinds';
import { qualityElement } from '../reference/quality';
import { figure, tableOf } from './table';
import type { Table } from './table';

export const ALPHA = 0.25;
export const BASE_GAMMA = 2;
export const SCALE_FACTOR = 8;

const DIGITS = 12;
const LOGITS = [-100, -5, 0, 2, 100];
const RATIOS = [1, 0.5, 0];
const LABELS = [0, 1];
const RESULT = ['loss', 'gradient'];

function result({ loss, gradient }: { loss: number; gradient: number }): string[] {
  return [figure(loss, DIGITS), figure(gradient, DIGITS)];
}

function focusingOf(ratio: number): number {
  return BASE_GAMMA + SCALE_FACTOR * (1 - ratio);
}

/** g = 1 is Focal Loss. */
export function goldenFocal(): Table {
  const rows = LABELS.flatMap((y) =>
    RATIOS.flatMap((g) =>
      LOGITS.map((x) => {
        const gamma = focusingOf(g);
        const weight = ((y === 1 ? ALPHA : 1 - ALPHA) * gamma) / BASE_GAMMA;
        const inputs = [y, g, gamma, x].map(String);
        return [...inputs, ...result(focalElement(x, y === 1, gamma, weight))];
      }),
    ),
  );
  return tableOf([], ['y', 'g', 'gamma_j', 'x', ...RESULT], rows);
}

/** Weight 1. */
export function goldenCrossEntropy(): Table {
  const rows = LABELS.flatMap((y) =>
    LOGITS.map((x) => [...[y, x].map(String), ...result(focalElement(x, y === 1, 0, 1))]),
  );
  return tableOf([], ['y', 'x', ...RESULT], rows);
}

export function goldenSoft(): Table {
  const rows = [0.25, 0.75].flatMap((y) =>
    LOGITS.map((x) => [
      ...[y, x].map(String),
      ...result(denseElement(x, y, BASE_GAMMA, alphaWeights(ALPHA))),
    ]),
  );
  return tableOf([], ['y', 'x', ...RESULT], rows);
}

/** Qualities that are exact in float32. */
export function goldenQuality(): Table {
  const rows = [0.25, 0.75].flatMap((quality) =>
    RATIOS.slice(0, 2).flatMap((g) =>
      LOGITS.map((x) => {
        const gamma = focusingOf(g);
        const weight = gamma / BASE_GAMMA;
        const element = qualityElement(x, quality, gamma, { positive: weight, negative: weight });
        return [...[quality, g, gamma, x].map(String), ...result(element)];
      }),
    ),
  );
  return tableOf([], ['quality', 'g', 'gamma_j', 'x', ...RESULT], rows);
}

/** The factors of Equalization Loss v2 with its defaults. */
export function goldenFactors(): Table {
  const rows = [0, 0.2, 0.5, 0.8, 1, 100].map((ratio) => {
    const { negative, positive } = KINDS.equalizationV2.factors({}, ratio, 0);
    return [ratio, negative, positive].map((value) => figure(value, DIGITS));
  });
  return tableOf([], ['r', 'negatives: f(r)', 'positives: 1 + 4 (1 - f(r))'], rows);
}
