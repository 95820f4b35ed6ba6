// The figures in the text of docs/statistics.md and docs/embedding.md.
import { EqualizedFocalLoss } from '../../lib';

test.each([
  [1, '0.333'],
  [1e9, '0.0943'],
  [1e12, '0.000131'],
])('at normalizer %d the 1e-10 in the formula makes g %s', (normalizer, expected) => {
  const criterion = new EqualizedFocalLoss({ numClasses: 2 });
  criterion.forwardBackward(Float32Array.of(1, 1, -1, -1), [1, 2], { normalizer });
  expect(criterion.gradientRatio[0]!.toPrecision(3)).toBe(expected);
});

test('the loss at gamma_b falls in a training in which the equalized loss rises', () => {
  const [rows, inputs, classes] = [4, 2, 3];
  const features = [1, 0, 0, 1, 1, 1, 0, 0];
  const labels = [1, 2, 3, 0];
  const weights = new Float32Array(inputs * classes);
  const criterion = new EqualizedFocalLoss({ numClasses: classes });
  const values = [0, 1, 2, 3].map(() => {
    const logits = Float32Array.from({ length: rows * classes }, (_, i) => {
      const [r, c] = [Math.floor(i / classes), i % classes];
      return features[2 * r]! * weights[c]! + features[2 * r + 1]! * weights[classes + c]!;
    });
    const call = { normalizer: 'positives' } as const;
    const { loss, grad } = criterion.forwardBackward(logits, labels, call);
    weights.forEach((weight, i) => {
      const [k, c] = [Math.floor(i / classes), i % classes];
      const products = labels.map((_, r) => features[2 * r + k]! * grad[r * classes + c]!);
      weights[i] = weight - 0.5 * products.reduce((sum, product) => sum + product, 0);
    });
    const base = criterion.forward(logits, labels, { ...call, equalize: false }).loss;
    return [loss, base].map((value) => value.toPrecision(4));
  });
  expect(values.map(([equalized]) => equalized)).toEqual([
    '0.4332',
    '0.01207',
    '0.01217',
    '0.01226',
  ]);
  expect(values.map(([, plain]) => plain)).toEqual(['0.4332', '0.4077', '0.4061', '0.4046']);
});
