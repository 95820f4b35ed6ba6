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
  // A score of 0 or 1 does not move, however large the loss is there.
  const moves = tf.greater(variance, 0);
  const focus = tf.where(moves, tf.mul(tf.mul(parameters.gamma, crossEntropy), change), 0);
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
  return tf.add(tf.add(share(rest, tf.relu(x)), share(y, tf.relu(tf.neg(x)))), tail);
}

/** share x of, where nothing of something infinite is nothing */
function share(portion: tf.Tensor, of: tf.Tensor): tf.Tensor {
  return tf.where(tf.greater(portion, 0), tf.mul(portion, of), 0);
}
