/** Loss and derivative of each element, rows x columns, in a form that keeps their digits. */
import * as tf from '@tensorflow/tfjs-core';
import type { ColumnParameters } from './column-parameters';

export interface Weighted {
  readonly targets: tf.Tensor;
  readonly weight: tf.Tensor;
}

/** Keeps a power and a quotient defined where a distance is 0. */
const tiny = 1e-30;

/** weight x distance^gamma x BCE(x, y) */
export function elementLoss(x: tf.Tensor, element: Weighted, parameters: ColumnParameters) {
  const { modulator, crossEntropy } = parts(x, element.targets, parameters);
  return tf.mul(tf.mul(element.weight, modulator), crossEntropy);
}

/** Its derivative by x: weight x distance^gamma x (gamma BCE distance' / distance + sigma(x) - y) */
export function elementSlope(x: tf.Tensor, element: Weighted, parameters: ColumnParameters) {
  const { modulator, crossEntropy, distance, turn, difference, variance } = parts(
    x,
    element.targets,
    parameters,
  );
  const change = tf.div(tf.mul(turn, variance), distance);
  const focus = tf.mul(tf.mul(parameters.gamma, crossEntropy), change);
  return tf.mul(tf.mul(element.weight, modulator), tf.add(focus, difference));
}

function parts(x: tf.Tensor, y: tf.Tensor, { gamma, isQuality }: ColumnParameters) {
  const rest = tf.sub(1, y);
  const score = tf.sigmoid(x);
  const counterScore = tf.sigmoid(tf.neg(x));
  // sigma(x) - y, without the cancellation that would leave nothing of a score near 1
  const difference = tf.sub(tf.mul(rest, score), tf.mul(y, counterScore));
  // 1 - p_t, or how far the score is from the quality
  const exact = isQuality
    ? tf.abs(difference)
    : tf.add(tf.mul(rest, score), tf.mul(y, counterScore));
  const distance = tf.maximum(exact, tiny);
  return {
    difference,
    distance,
    // distance' over the variance of the score
    turn: isQuality ? tf.sign(difference) : tf.sub(1, tf.mul(y, 2)),
    variance: tf.mul(score, counterScore),
    modulator: tf.pow(distance, gamma),
    crossEntropy: crossEntropyOf(x, y, rest),
  };
}

/** y softplus(-x) + (1 - y) softplus(x) */
function crossEntropyOf(x: tf.Tensor, y: tf.Tensor, rest: tf.Tensor): tf.Tensor {
  const tail = tf.log1p(tf.exp(tf.neg(tf.abs(x))));
  const linear = tf.add(tf.mul(rest, tf.relu(x)), tf.mul(y, tf.relu(tf.neg(x))));
  return tf.add(linear, tail);
}
