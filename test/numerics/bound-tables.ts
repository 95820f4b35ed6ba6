/** Tables of error bounds: what is measured for each of their cells. */
import { EqualizedFocalLoss, FocalLoss } from '../../lib';
import { ReferenceCriterion } from '../reference/criterion';
import { FAMILY } from '../reference/family';
import type { CommonOptions, Member } from '../reference/family';
import { roundingBound, sumBound, worstBound } from './bound';
import { prepare, worstOf } from './errors';
import type { Errors, FloatType, Source, Subject } from './errors';

/** The error in a cell, or undefined where the cell stays empty. */
export type Measured = readonly (readonly (number | undefined)[])[];

export interface BoundTable {
  readonly words: readonly string[];
  readonly figures: readonly string[];
  /** The words of each row. */
  readonly names: readonly string[];
  /** Computes the references; what it returns measures with the kernels chosen at the time. */
  readonly prepare: () => () => Measured;
  readonly bound: (measured: number, row: number, column: number) => number;
}

const SOURCES: readonly Source[] = ['normal', 'uniform', 'extreme'];

function focalMember(gamma: number): Member {
  const complete = (options: CommonOptions) => ({ ...options, gamma });
  return {
    name: String(gamma),
    kind: 'focal',
    create: (options) => new FocalLoss(complete(options)),
    reference: (options) => new ReferenceCriterion(complete(options), 'focal'),
  };
}

/** By gamma, for logits in [-100, 100]. */
export const BY_GAMMA: BoundTable = {
  words: ['gamma'],
  figures: ['element', 'gradient', 'sum of the loss'],
  names: ['0', '0.5', '1', '2', '5', '10', '50', '100'],
  prepare: () => {
    const rows = BY_GAMMA.names.map((gamma) =>
      prepare({ one: focalMember(Number(gamma)), source: 'uniform', type: 'float32' }),
    );
    return () =>
      rows.map((measure) => {
        const { element, gradient, loss } = measure();
        return [element, gradient, loss];
      });
  },
  bound: (measured, _, column) => (column === 2 ? sumBound : worstBound)(measured),
};

/** Classes whose gamma_j float32 cannot hold, unlike those of the family. */
const INEXACT: Member = {
  name: 'EqualizedFocalLoss, gamma_j rounded to float32',
  kind: 'equalizedFocal',
  create: (options) => new EqualizedFocalLoss({ ...options, scaleFactor: 6.1 }),
  reference: (options) =>
    new ReferenceCriterion({ ...options, scaleFactor: 6.1 }, 'equalizedFocal'),
};

interface Row {
  readonly name: string;
  readonly one: Member;
  readonly soft?: boolean;
}

const LOSSES: readonly Row[] = [
  { name: 'FocalLoss, gamma 2', one: focalMember(2) },
  ...FAMILY.map((one) => ({ name: one.name, one })),
  { name: INEXACT.name, one: INEXACT },
  { name: 'FocalLoss, targets in [0, 1]', one: FAMILY[0]!, soft: true },
];

function bySource(errors: readonly Errors[]): (number | undefined)[] {
  const { loss, statistics } = worstOf(errors);
  return [...errors.flatMap(({ element, gradient }) => [element, gradient]), loss, statistics];
}

/** By loss and by where the logits come from. */
export const BY_LOSS: BoundTable = {
  words: ['loss'],
  figures: [
    ...SOURCES.flatMap((source) => [`${source}: element`, 'gradient']),
    'sum of the loss',
    'statistics',
  ],
  names: LOSSES.map(({ name }) => name),
  prepare: () => {
    const rows = LOSSES.map(({ one, soft = false }) =>
      SOURCES.map((source) => prepare({ one, soft, source, type: 'float32' })),
    );
    return () => rows.map((measures) => bySource(measures.map((measure) => measure())));
  },
  bound: (measured, _, column) => (column < 2 * SOURCES.length ? worstBound : sumBound)(measured),
};

/** By loss, where nearly all logits are far below 0. */
export const OF_LEARNT: BoundTable = {
  words: ['loss'],
  figures: ['element', 'gradient', 'sum of the loss', 'statistics'],
  names: LOSSES.map(({ name }) => name),
  prepare: () => {
    const rows = LOSSES.map(({ one, soft = false }) =>
      prepare({ one, soft, source: 'learnt', type: 'float32' }),
    );
    return () => rows.map((measure) => bySource([measure()]));
  },
  bound: (measured, _, column) => (column < 2 ? worstBound : sumBound)(measured),
};

const TYPES: readonly FloatType[] = ['float32', 'float16', 'bfloat16'];
/** One with the modulator, one without. */
const OF_TYPES = FAMILY.filter(
  ({ kind }) => kind === 'equalizedFocal' || kind === 'equalizationV2',
);

function subjects(type: FloatType): Subject[] {
  return OF_TYPES.flatMap((one) => SOURCES.map((source) => ({ one, source, type })));
}

const QUANTITIES: readonly (readonly [name: string, part: keyof Errors])[] = [
  ['element', 'element'],
  ['gradient, of normal numbers', 'gradient'],
  ['gradient below these, absolute', 'smallGradient'],
  ['sum of the loss', 'loss'],
  ['statistics', 'statistics'],
];

/** Where the rounding to 16 bits is all but the whole error. */
function isOneRounding(part: keyof Errors, type: FloatType): boolean {
  return (
    (part === 'gradient' && type !== 'float32') || (part === 'smallGradient' && type === 'float16')
  );
}

function boundByType(measured: number, part: keyof Errors, type: FloatType): number {
  if (isOneRounding(part, type)) {
    return roundingBound(measured);
  }
  return (part === 'loss' || part === 'statistics' ? sumBound : worstBound)(measured);
}

/** By type, for all three kinds of logits. */
export const BY_TYPE: BoundTable = {
  words: ['error'],
  figures: TYPES,
  names: QUANTITIES.map(([name]) => name),
  prepare: () => {
    const columns = TYPES.map((type) => subjects(type).map(prepare));
    return () => {
      const errors = columns.map((measures) => worstOf(measures.map((measure) => measure())));
      return QUANTITIES.map(([, part]) => errors.map((ofType) => ofType[part]));
    };
  },
  bound: (measured, row, column) => boundByType(measured, QUANTITIES[row]![1], TYPES[column]!),
};
