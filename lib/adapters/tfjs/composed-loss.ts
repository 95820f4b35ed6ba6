/**
 * The loss in operations of TensorFlow.js, for backends whose memory the addon cannot reach. The
 * gradient is composed, too, as the formula has it: differentiating the operations would lose its
 * digits, and needs gradients that TensorFlow.js may not have registered.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from '../../criteria/criterion';
import type { LabelForm } from './check-tensors';
import { ColumnParameterSource, type ColumnParameters } from './column-parameters';
import { elementLoss, elementSlope } from './element-operations';
import { equalized } from './equalized';
import type { CheckedOptions } from './check-options';
import { checkRowFactors, rowScale } from './rows';
import { positiveShare, smoothed, targetsOf, type RowFacts } from './targets';

/** Of a float32 tensor .. x columns and labels that were checked against it. */
export function composedLoss(
  criterion: Criterion,
  options: CheckedOptions,
  labels: tf.Tensor,
  logits: tf.Tensor,
  form: LabelForm,
  notice: ((factor: number) => void) | undefined,
): tf.Tensor {
  const source = new ColumnParameterSource(criterion);
  const facts = targetsOf(criterion, labels, form);
  const scale = scaleOf(criterion, options, facts, source.columns);
  const { normalizer, perSample, collect } = options;
  const operation = tf.customGrad((...args) => {
    const [x, save] = args as [tf.Tensor, tf.GradSaveFunc];
    const parameters = source.tensors();
    const rows = tf.reshape(x, [-1, source.columns]);
    const elements = elementLoss(rows, weigh(criterion, rows, facts, parameters), parameters);
    save([rows, facts.targets, facts.counts, facts.foreground]);
    return {
      value: reduced(onlyCounted(elements, facts), scale, perSample, logits.shape),
      gradFunc: (dy, [savedRows, targets, counts, foreground]) => {
        const saved = { targets: targets!, counts: counts!, foreground: foreground! };
        const factors = dy.dataSync();
        notice?.(factors[0]!);
        if (perSample) checkRowFactors(criterion, factors, scale);
        else criterion.checkNumbers({ normalizer, gradOutput: factors[0]! });
        const upstream = perSample ? tf.mul(tf.reshape(dy, [-1, 1]), scale) : factors[0]! * scale;
        // Tensors that are not saved are gone by now: these are made anew, of the same values.
        const again = source.tensors();
        const elements = weigh(criterion, savedRows!, saved, again);
        const slope = onlyCounted(elementSlope(savedRows!, elements, again), saved);
        const gradient = tf.mul(slope, upstream);
        if (collect !== false && facts.countedRows > 0) {
          const defers = collect === 'defer';
          collectFrom(criterion, source.isQuality, savedRows!, gradient, saved.targets, defers);
        }
        return tf.reshape(gradient, logits.shape);
      },
    };
  });
  return operation(logits);
}

/** The sum of all elements, or those of the rows. */
function reduced(
  elements: tf.Tensor,
  scale: number,
  perSample: boolean,
  shape: readonly number[],
): tf.Tensor {
  if (!perSample) return tf.mul(tf.sum(elements), scale);
  return tf.reshape(tf.mul(tf.sum(elements, 1), scale), shape.slice(0, -1));
}

/** Factor on the sum of the elements. */
function scaleOf(
  { options: { reduction, lossWeight } }: Criterion,
  { normalizer = 1, perSample }: CheckedOptions,
  { positives, countedRows, rows }: RowFacts,
  columns: number,
): number {
  if (perSample) return lossWeight * rowScale(normalizer, rows, positives);
  if (reduction === 'mean') return lossWeight / Math.max(1, countedRows * columns);
  return lossWeight / (normalizer === 'positives' ? Math.max(1, positives) : normalizer);
}

/** Target and weight of each element. */
function weigh(
  criterion: Criterion,
  x: tf.Tensor,
  { targets: given, foreground }: Pick<RowFacts, 'targets' | 'foreground'>,
  { positive, negative, foregroundNegative, foregroundThreshold }: ColumnParameters,
) {
  const targets = smoothed(criterion, given);
  const rest = tf.sub(1, targets);
  if (!foregroundNegative) {
    return { targets, weight: tf.add(tf.mul(targets, positive), tf.mul(rest, negative)) };
  }
  const inForeground =
    foregroundThreshold === undefined
      ? foregroundNegative
      : tf.mul(tf.cast(tf.greaterEqual(x, foregroundThreshold), 'float32'), foregroundNegative);
  const negatives = tf.add(
    tf.mul(foreground, inForeground),
    tf.mul(tf.sub(1, foreground), negative),
  );
  return { targets, weight: tf.add(tf.mul(targets, positive), tf.mul(rest, negatives)) };
}

/** 0 in ignored rows, whatever their logits are. */
function onlyCounted(elements: tf.Tensor, { counts }: Pick<RowFacts, 'counts'>): tf.Tensor {
  return tf.where(tf.greater(counts, 0), elements, 0);
}

/** Adds the sums of |gradient| to the state, or keeps them aside, as the addon does. */
function collectFrom(
  criterion: Criterion,
  isQuality: boolean,
  logits: tf.Tensor,
  gradient: tf.Tensor,
  targets: tf.Tensor,
  defers: boolean,
): void {
  const state = equalized(criterion);
  if (!state) return;
  const { numClasses } = criterion.options;
  const share = positiveShare(criterion, isQuality, targets);
  const finite = tf.where(tf.isFinite(logits), tf.abs(gradient), 0);
  const ofPositives = tf.mul(finite, share);
  const sums = (elements: tf.Tensor): Float64Array =>
    Float64Array.from(tf.sum(elements, 0).dataSync().subarray(0, numClasses));
  state.collectSums(sums(ofPositives), sums(tf.sub(finite, ofPositives)), defers);
}
