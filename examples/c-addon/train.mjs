// What training.c does, in JavaScript.
/** Trains `weights` in place; the losses of the steps. */
export function train(criterion, { features, labels, quality, weights, rate, steps, classes }) {
  const rows = labels.length;
  const inputs = features.length / rows;
  const logits = new Float32Array(rows * classes);
  const grad = new Float32Array(rows * classes);
  const call = { grad, normalizer: 'positives', ...(quality ? { quality } : {}) };
  return Float64Array.from({ length: steps }, () => {
    multiply(features, weights, logits, rows, inputs, classes);
    const { loss } = criterion.forwardBackward(logits, labels, call);
    descend(features, grad, weights, rate, rows, inputs, classes);
    return loss;
  });
}

function multiply(features, weights, logits, rows, inputs, classes) {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += features[r * inputs + i] * weights[i * classes + c];
      logits[r * classes + c] = sum;
    }
  }
}

function descend(features, grad, weights, rate, rows, inputs, classes) {
  for (let i = 0; i < inputs; i++) {
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += features[r * inputs + i] * grad[r * classes + c];
      weights[i * classes + c] -= rate * sum;
    }
  }
}
