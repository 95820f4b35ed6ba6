// The task that program.c draws.
export function makeTask({ rows = 64, inputs = 6, classes = 5, steps = 10, rate = 0.1 } = {}) {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const features = Float32Array.from({ length: rows * inputs }, () => 2 * next() - 1);
  const weights = Float32Array.from({ length: inputs * classes }, () => next() - 0.5);
  const labels = Int32Array.from({ length: rows }, () => Math.trunc(next() * (classes + 1)));
  return { features, weights, labels, rate: Math.fround(rate), steps, classes };
}
