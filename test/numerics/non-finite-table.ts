/** What becomes of NaN and of infinite logits. */
import {
  AdaptiveClassSuppressionLoss,
  EqualizationLoss,
  EqualizationLossV2,
  FocalLoss,
  QualityFocalLoss,
} from '../../lib';
import type { Criterion } from '../../lib';
import { figure, tableOf } from './table';
import type { Table } from './table';

interface Case {
  readonly what: string;
  readonly create: () => Criterion;
  readonly targets: readonly number[] | Float32Array;
  readonly quality?: Float32Array;
}

const SHARED = { numClasses: 2, reduction: 'none' } as const;

/** The logit is that of the first class; label 2 makes the row one of the second. */
const CASES: readonly Case[] = [
  { what: 'FocalLoss, negative', create: () => new FocalLoss(SHARED), targets: [0] },
  { what: 'FocalLoss, positive', create: () => new FocalLoss(SHARED), targets: [1] },
  {
    what: 'FocalLoss, target 0.5',
    create: () => new FocalLoss(SHARED),
    targets: Float32Array.of(0.5, 0),
  },
  {
    what: 'QualityFocalLoss, quality 0.5',
    create: () => new QualityFocalLoss(SHARED),
    targets: [1],
    quality: Float32Array.of(0.5),
  },
  {
    what: 'EqualizationLossV2, negative',
    create: () => new EqualizationLossV2(SHARED),
    targets: [0],
  },
  {
    what: 'EqualizationLossV2, positive',
    create: () => new EqualizationLossV2(SHARED),
    targets: [1],
  },
  {
    what: 'EqualizationLoss, rare class in a row with a class (weight 0)',
    create: () => new EqualizationLoss({ ...SHARED, classFrequencies: [0.0001, 0.5] }),
    targets: [2],
  },
  {
    what: 'AdaptiveClassSuppressionLoss, negative in a row with a class',
    create: () => new AdaptiveClassSuppressionLoss(SHARED),
    targets: [2],
  },
  {
    what: '`classWeight` 0, negative',
    create: () => new FocalLoss({ ...SHARED, classWeight: [0, 1] }),
    targets: [0],
  },
  { what: 'an ignored row', create: () => new FocalLoss(SHARED), targets: [-1] },
];

function outcomeOf({ create, targets, quality }: Case, x: number): [cell: string, counted: number] {
  const output = create().forwardBackward(Float32Array.of(x, 0), targets, { quality });
  const values = [output.elements![0]!, output.grad[0]!];
  return [values.map((value) => figure(value, 4)).join(', '), output.nonFinite];
}

export function nonFiniteLogits(): Table {
  const rows = CASES.map((one) => {
    const outcomes = [-Infinity, Infinity, NaN].map((x) => outcomeOf(one, x));
    const counted = new Set(outcomes.map(([, count]) => (count === 1 ? 'yes' : 'no')));
    return [one.what, ...outcomes.map(([cell]) => cell), [...counted].join(', ')];
  });
  return tableOf(
    ['element: loss, gradient'],
    ['x = -Infinity', 'x = Infinity', 'x = NaN', 'counted'],
    rows,
  );
}
