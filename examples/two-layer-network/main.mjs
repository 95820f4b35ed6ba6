// A network written out by hand: two layers, their gradients, and Equalized Focal Loss between them.
import { EqualizedFocalLoss, priorBias } from 'equalized-focal-loss';

const [rows, inputs, hidden, classes] = [256, 8, 32, 12];
const [rate, steps] = [0.5, 200];

let state = 1;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 8) / 2 ** 24;
}

const matrix = (length, spread) => Float32Array.from({ length }, () => spread * (random() - 0.5));

/** out = a x b, of n x k and k x m. */
function multiply(a, b, n, k, m) {
  const out = new Float32Array(n * m);
  for (let i = 0; i < n; i++)
    for (let t = 0; t < k; t++)
      for (let j = 0; j < m; j++) out[i * m + j] += a[i * k + t] * b[t * m + j];
  return out;
}

function transpose(a, n, m) {
  return Float32Array.from({ length: n * m }, (_, i) => a[(i % n) * m + Math.floor(i / n)]);
}

function descend(weights, gradient) {
  for (let i = 0; i < weights.length; i++) weights[i] -= rate * gradient[i];
}

// Class k is the rarer the larger k is; label 0 is background.
const labels = Int32Array.from({ length: rows }, () =>
  random() < 0.3 ? 0 : 1 + Math.trunc(classes * random() ** 2),
);
const centers = matrix((classes + 1) * inputs, 4);
const features = Float32Array.from({ length: rows * inputs }, (_, i) => {
  const center = centers[labels[Math.trunc(i / inputs)] * inputs + (i % inputs)];
  return center + 0.5 * (random() - 0.5);
});

const first = matrix(inputs * hidden, 1);
const second = matrix(hidden * classes, 0.2);
const bias = new Float32Array(classes).fill(priorBias(0.01));
const criterion = new EqualizedFocalLoss({ numClasses: classes });

function step() {
  // Forward.
  const activity = multiply(features, first, rows, inputs, hidden).map((x) => Math.max(0, x));
  const logits = multiply(activity, second, rows, hidden, classes).map(
    (x, i) => x + bias[i % classes],
  );
  // The loss and, in the same pass, where the way back begins.
  const { loss, grad } = criterion.forwardBackward(logits, labels, {
    grad: logits,
    normalizer: 'positives',
  });
  // Backward.
  const bySecond = multiply(transpose(activity, rows, hidden), grad, hidden, rows, classes);
  const byActivity = multiply(
    grad,
    transpose(second, hidden, classes),
    ...[rows, classes, hidden],
  ).map((g, i) => (activity[i] > 0 ? g : 0));
  const byFirst = multiply(transpose(features, rows, inputs), byActivity, inputs, rows, hidden);
  const byBias = new Float32Array(classes);
  grad.forEach((g, i) => (byBias[i % classes] += g));
  descend(first, byFirst);
  descend(second, bySecond);
  descend(bias, byBias);
  return loss;
}

const losses = Array.from({ length: steps }, step);
console.log(`loss ${losses[0].toFixed(4)} -> ${losses.at(-1).toFixed(4)}`);
console.log(`g of the rarest class ${criterion.gradientRatio.at(-1).toFixed(3)}`);
if (!(losses.at(-1) < 0.2 * losses[0])) throw new Error('the network has not learnt');
