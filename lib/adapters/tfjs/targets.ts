import * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import type { ResolvedCriterionOptions, ResolvedSmoothingOptions } from '../../criteria/options';
import { EflArgumentError } from '../../errors';
import { labelConvention, rowKind, type RowKind } from '../../tensors/labels';
import type { LabelForm } from './check-tensors';

/** What labels or dense targets say, as the operations need it. */
export interface RowFacts {
  /** rows x columns, in [0, 1] */
  readonly targets: tf.Tensor;
  /** rows x 1: 0 in rows that are ignored, else 1 */
  readonly counts: tf.Tensor;
  /** rows x 1: 1 in rows with a class, else 0 */
  readonly foreground: tf.Tensor;
  readonly rows: number;
  readonly positives: number;
  readonly countedRows: number;
}

/** @throws {@link EflArgumentError} for a bad value, as the addon does. */
export function targetsOf(criterion: Criterion, labels: tf.Tensor, form: LabelForm): RowFacts {
  const values = labels.dataSync();
  return form === 'labels' ? ofLabels(criterion, values) : ofTargets(criterion, labels, values);
}

function ofLabels(criterion: Criterion, labels: ArrayLike<number>): RowFacts {
  const { numClasses, background, ignoreIndex } = criterion.options;
  const convention = labelConvention(background, numClasses, ignoreIndex);
  const { columns } = criterion.definition;
  const column = Int32Array.from(labels, (label) => label - convention.firstClass);
  const kinds = Array.from(labels, (label, row) =>
    rowKind(`labels[${row}]`, label, convention, numClasses),
  );
  // Objectness, where there is one, is positive in background rows; else this is no column at all.
  kinds.forEach((kind, row) => {
    if (kind !== 'class') column[row] = kind === 'background' ? numClasses : -1;
  });
  const all = tf.reshape(tf.range(0, columns, 1, 'int32'), [1, columns]);
  const isTarget = tf.equal(tf.tensor(column, [column.length, 1], 'int32'), all);
  return factsOf(tf.cast(isTarget, 'float32'), kinds);
}

function ofTargets(criterion: Criterion, targets: tf.Tensor, values: ArrayLike<number>): RowFacts {
  const { numClasses, positiveThreshold } = criterion.options;
  const { columns } = criterion.definition;
  const threshold = Math.fround(positiveThreshold);
  const kinds = Array<RowKind>(values.length / columns).fill('background');
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value >= 0 && value <= 1)) {
      throw new EflArgumentError(`targets[${i}]`, 'a number in [0, 1]', String(value));
    }
    if (value > threshold && i % columns < numClasses) kinds[Math.floor(i / columns)] = 'class';
  }
  return factsOf(tf.reshape(targets, [kinds.length, columns]), kinds);
}

/** What the targets are for the loss, by the option labelSmoothing; objectness keeps its own. */
export function smoothed(criterion: Criterion, targets: tf.Tensor): tf.Tensor {
  const { numClasses, labelSmoothing = 0 } = criterion.options as ResolvedCriterionOptions &
    Partial<ResolvedSmoothingOptions>;
  if (labelSmoothing === 0) return targets;
  const { columns } = criterion.definition;
  const all = tf.add(tf.mul(targets, 1 - labelSmoothing), labelSmoothing / numClasses);
  const column = tf.reshape(tf.range(0, columns, 1, 'int32'), [1, columns]);
  return tf.where(tf.greater(numClasses, column), all, targets);
}

/** The share of each gradient that counts as a positive's in the statistics. */
export function positiveShare(
  { options: { positiveThreshold } }: Criterion,
  isQuality: boolean,
  targets: tf.Tensor,
): tf.Tensor {
  const counts = tf.greater(targets, Math.fround(positiveThreshold));
  return isQuality ? tf.cast(counts, 'float32') : tf.where(counts, targets, 0);
}

function factsOf(targets: tf.Tensor, kinds: readonly RowKind[]): RowFacts {
  const count = (kind: RowKind): number => kinds.filter((other) => other === kind).length;
  const column = (test: (kind: RowKind) => boolean): tf.Tensor =>
    tf.tensor(
      Float32Array.from(kinds, (kind) => Number(test(kind))),
      [kinds.length, 1],
    );
  return {
    targets,
    counts: column((kind) => kind !== 'ignored'),
    foreground: column((kind) => kind === 'class'),
    rows: kinds.length,
    positives: count('class'),
    countedRows: kinds.length - count('ignored'),
  };
}
