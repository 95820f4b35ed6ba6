// Trains a linear head on the features of a frozen backbone that onnxruntime runs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EqualizedFocalLoss, priorBias } from 'equalized-focal-loss';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { writeBackbone } from './backbone.mjs';

const [rows, pixels, width, classes] = [256, 16, 48, 12];
const [rate, steps] = [0.5, 100];

let state = 1;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 8) / 2 ** 24;
}

const numbers = (length, draw) => Float32Array.from({ length }, (_, i) => draw(i));

async function featuresOf(images) {
  const folder = mkdtempSync(path.join(tmpdir(), 'efl-backbone-'));
  try {
    const file = path.join(folder, 'backbone.onnx');
    writeBackbone(file, Array.from(numbers(pixels * width, () => random() - 0.5)), pixels, width);
    const session = await InferenceSession.create(file);
    const { features } = await session.run({
      pixels: new Tensor('float32', images, [rows, pixels]),
    });
    await session.release();
    return features.data;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const labels = Int32Array.from({ length: rows }, () =>
  random() < 0.3 ? 0 : 1 + Math.trunc(classes * random() ** 2),
);
const images = numbers(rows * pixels, (i) => {
  const label = labels[Math.trunc(i / pixels)];
  return Math.sin(3 * label + (i % pixels) * (label + 1)) + 0.3 * (random() - 0.5);
});
const features = await featuresOf(images);

const weights = new Float32Array(width * classes);
const bias = new Float32Array(classes).fill(priorBias(0.01));
const criterion = new EqualizedFocalLoss({ numClasses: classes });
// The criterion takes a tensor of onnxruntime as it is, and a head in ONNX would give one.
const logits = new Tensor('float32', new Float32Array(rows * classes), [rows, classes]);

function step() {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < classes; c++) {
      let sum = bias[c];
      for (let i = 0; i < width; i++) sum += features[r * width + i] * weights[i * classes + c];
      logits.data[r * classes + c] = sum;
    }
  }
  const { loss, grad } = criterion.forwardBackward(logits, labels, { normalizer: 'positives' });
  for (let c = 0; c < classes; c++) {
    for (let r = 0; r < rows; r++) bias[c] -= rate * grad.data[r * classes + c];
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += features[r * width + i] * grad.data[r * classes + c];
      weights[i * classes + c] -= rate * sum;
    }
  }
  return loss;
}

const losses = Array.from({ length: steps }, step);
console.log(`loss ${losses[0].toFixed(4)} -> ${losses.at(-1).toFixed(4)}`);
if (!(losses.at(-1) < 0.5 * losses[0])) throw new Error('the head has not learnt');
