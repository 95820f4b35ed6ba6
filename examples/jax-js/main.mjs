// Trains a model of jax-js: its vjp gives the logits and a function that takes their gradient back to
// the weights, and in between stands the loss of this package.
import { defaultDevice, grad as gradientOf, init, lax, numpy as np, vjp } from '@jax-js/jax';
import { EqualizedFocalLoss } from 'equalized-focal-loss';

const [rows, inputs, hidden, classes] = [256, 8, 32, 12];
const [rate, steps] = [0.5, 60];

await init('wasm');
defaultDevice('wasm');

let state = 1;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 8) / 2 ** 24;
}

const matrix = (n, m, spread) =>
  np.array(Float32Array.from({ length: n * m }, () => spread * (random() - 0.5))).reshape([n, m]);

const labels = Int32Array.from({ length: rows }, () =>
  random() < 0.3 ? 0 : 1 + Math.trunc(classes * random() ** 2),
);
const features = np
  .array(
    Float32Array.from({ length: rows * inputs }, (_, i) => {
      const label = labels[Math.trunc(i / inputs)];
      return Math.sin(3 * label + (i % inputs) * (label + 1)) + 0.3 * (random() - 0.5);
    }),
  )
  .reshape([rows, inputs]);

const criterion = new EqualizedFocalLoss({ numClasses: classes });
let weights = [matrix(inputs, hidden, 1), matrix(hidden, classes, 0.2)];

// jax-js frees an array with its last use: `.ref` is for one more.
function model(first, second) {
  const activity = np.tanh(np.dot(features.ref, first));
  return np.dot(activity, second);
}

function step() {
  const [logits, pull] = vjp(
    model,
    weights.map((w) => w.ref),
  );
  const { loss, grad } = criterion.forwardBackward(logits.dataSync(), labels, {
    normalizer: 'positives',
  });
  const gradients = pull(np.array(grad).reshape([rows, classes]));
  pull.dispose();
  weights = weights.map((w, i) => w.sub(gradients[i].mul(rate)));
  return loss;
}

/** d(loss)/d(first weight of the last layer) in three ways: by differences, by vjp, by a surrogate. */
function slopes() {
  const fixed = new EqualizedFocalLoss({ numClasses: classes });
  const call = { collect: false };
  const [logits, pull] = vjp(
    model,
    weights.map((w) => w.ref),
  );
  const { grad } = fixed.forwardBackward(logits.dataSync(), labels, call);
  const asArray = () => np.array(grad).reshape([rows, classes]);
  const [byFirst, byVjp] = pull(asArray());
  pull.dispose();
  byFirst.dispose();

  // A loss with this gradient, for engines that have no vjp: sum(stopGradient(grad) * logits).
  const surrogate = (second) =>
    np.sum(lax.stopGradient(asArray()).mul(model(weights[0].ref, second)));
  const bySurrogate = gradientOf(surrogate)(weights[1].ref);

  const lossAt = (change) => {
    const moved = weights[1].ref.dataSync();
    moved[0] += change;
    const second = np.array(moved).reshape([hidden, classes]);
    return fixed.forward(model(weights[0].ref, second).dataSync(), labels).loss;
  };
  const h = 1e-2;
  const byDifferences = (lossAt(h) - lossAt(-h)) / (2 * h);
  return [byDifferences, byVjp.dataSync()[0], bySurrogate.dataSync()[0]];
}

const [byDifferences, byVjp, bySurrogate] = slopes();
console.log(
  `slope by differences ${byDifferences.toFixed(4)}, by vjp ${byVjp.toFixed(4)}, ` +
    `by a surrogate ${bySurrogate.toFixed(4)}`,
);
for (const slope of [byVjp, bySurrogate]) {
  if (!(Math.abs(slope / byDifferences - 1) < 1e-2)) throw new Error('the gradients differ');
}

const losses = Array.from({ length: steps }, step);
console.log(`loss ${losses[0].toFixed(4)} -> ${losses.at(-1).toFixed(4)}`);
if (!(losses.at(-1) < 0.5 * losses[0])) throw new Error('the model has not learnt');
