import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import * as tf from '@tensorflow/tfjs-core';
import { EqualizedFocalLoss } from 'equalized-focal-loss';

import { Random } from '../src/data/random.ts';
import { nativeLoss } from '../src/loss/native-loss.ts';
import { addBias, convolution3x3, dense, patches, relu } from '../src/model/layers.ts';
import { startTensorFlow } from '../src/model/tensorflow.ts';

before(startTensorFlow);

const random = new Random(1);
const normal = (shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
    shape,
  );

/** Compares the gradient of sum(f(x) * direction) with central differences at a few places. */
function checkGradient(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): void {
  const direction = normal(f(x).shape);
  const objective = (at: Float32Array): number => {
    const y = Float32Array.from(f(tf.tensor(at, x.shape)).dataSync());
    const d = direction.dataSync();
    return y.reduce((sum, value, i) => sum + value * d[i], 0);
  };
  const variable = tf.variable(x);
  // tfjs-core alone has no gradients registered, so the sum is an operation of our own as well.
  const total = tf.customGrad((y) => ({
    value: tf.sum(tf.mul(y as tf.Tensor, direction)),
    gradFunc: (dy: tf.Tensor) => tf.mul(direction, dy),
  }));
  const { grads } = tf.variableGrads(() => total(f(variable)) as tf.Scalar);
  const gradient = grads[variable.name].dataSync();
  const values = Float32Array.from(x.dataSync());
  const h = 1e-2;
  for (let i = 0; i < values.length; i += Math.ceil(values.length / 23)) {
    const [up, down] = [h, -h].map((step) =>
      objective(values.map((v, k) => (k === i ? v + step : v))),
    );
    const numeric = (up - down) / (2 * h);
    assert.ok(
      Math.abs(numeric - gradient[i]) < 2e-2 * Math.max(1, Math.abs(numeric)),
      `element ${i}: ${gradient[i]} instead of ${numeric}`,
    );
  }
}

test('dense layer', () => {
  const [x, w] = [normal([5, 7]), normal([7, 3])];
  checkGradient((at) => dense(at as tf.Tensor2D, w as tf.Tensor2D), x);
  checkGradient((at) => dense(x as tf.Tensor2D, at as tf.Tensor2D), w);
});

test('convolution', () => {
  const [x, w] = [normal([2, 6, 5, 3]), normal([3, 3, 3, 4])];
  checkGradient((at) => convolution3x3(at as tf.Tensor4D, w as tf.Tensor4D), x);
  checkGradient((at) => convolution3x3(x as tf.Tensor4D, at as tf.Tensor4D), w);
});

test('bias, patches and ReLU', () => {
  const [x, b] = [normal([6, 4]), normal([4])];
  checkGradient((at) => addBias(x, at as tf.Tensor1D), b);
  checkGradient((at) => patches(at as tf.Tensor4D, 2), normal([2, 4, 4, 3]));
  const awayFromZero = tf.add(x, tf.mul(tf.sign(x), 0.1));
  checkGradient(relu, awayFromZero);
});

test('the native loss writes its gradient into TensorFlow.js memory', () => {
  const classes = 3;
  const labels = Int32Array.from([0, 1, -1, 3, 2]);
  const logits = normal([labels.length, classes]) as tf.Tensor2D;
  const options = { numClasses: classes, scaleFactor: 4 };
  const expected = new EqualizedFocalLoss(options).forwardBackward(
    Float32Array.from(logits.dataSync()),
    labels,
    { normalizer: 3 },
  );
  const criterion = new EqualizedFocalLoss(options);
  const variable = tf.variable(logits);
  const { value, grads } = tf.variableGrads(() => nativeLoss(criterion, variable, labels, 3).value);
  assert.ok(Math.abs(value.dataSync()[0] - expected.loss) < 1e-6 * expected.loss);
  assert.deepEqual(Float32Array.from(grads[variable.name].dataSync()), expected.grad);
  assert.equal(criterion.statistics.steps, 1);
});
