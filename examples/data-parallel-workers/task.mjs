// A linear classifier on long-tailed data. All arrays are in shared memory: every thread sees the
// same batch and weights, and writes into its own part of logits and gradients.

export const classes = 20;
export const inputs = 8;
export const rows = 960;
// Kernels add float32 numbers within short runs of rows, of 4, 5 or 64, before they go on in float64;
// with a multiple of 320 a cut into blocks does not cut a run.
export const rowsPerBlock = 320;
export const blocks = rows / rowsPerBlock;
export const steps = 20;
const rate = 2;

const shared = (Type, length) => new Type(new SharedArrayBuffer(length * Type.BYTES_PER_ELEMENT));

export function makeTask() {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const task = {
    features: shared(Float32Array, rows * inputs),
    labels: shared(Int32Array, rows),
    weights: shared(Float64Array, inputs * classes),
    logits: shared(Float32Array, rows * classes),
    grad: shared(Float32Array, rows * classes),
    // Of the weights, by each block.
    gradients: shared(Float64Array, blocks * inputs * classes),
  };
  // Half of the rows are background; of the others class k is the rarer the larger k is.
  const draw = () => (next() < 0.5 ? 0 : 1 + Math.trunc(classes * next() ** 3));
  task.labels.forEach((_, row) => (task.labels[row] = draw()));
  task.features.forEach((_, i) => {
    const label = task.labels[Math.trunc(i / inputs)];
    task.features[i] = next() - 0.5 + (label % inputs === i % inputs ? 1 : 0);
  });
  return task;
}

/** The logits of a block of rows. */
export function multiply({ features, weights, logits }, block) {
  for (let r = block * rowsPerBlock; r < (block + 1) * rowsPerBlock; r++) {
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += features[r * inputs + i] * weights[i * classes + c];
      logits[r * classes + c] = sum;
    }
  }
}

/** The gradient of the weights by the rows of a block. */
export function multiplyBack({ features, grad, gradients }, block) {
  const offset = block * inputs * classes;
  for (let i = 0; i < inputs; i++) {
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let r = block * rowsPerBlock; r < (block + 1) * rowsPerBlock; r++) {
        sum += features[r * inputs + i] * grad[r * classes + c];
      }
      gradients[offset + i * classes + c] = sum;
    }
  }
}

/** A step of descent. The blocks are added in their order, whoever has computed them. */
export function descend({ weights, gradients }) {
  for (let i = 0; i < weights.length; i++) {
    let sum = 0;
    for (let block = 0; block < blocks; block++) sum += gradients[block * weights.length + i];
    weights[i] -= rate * sum;
  }
}
