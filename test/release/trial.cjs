// What a binary is tried with on its platform (try-release.mjs): it trains, with every loss and in every
// way of calling, and writes what came out.
//
//   <runtime> trial.cjs <folder of the package> <file to write>
'use strict';
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');

const folder = isMainThread ? process.argv[2] : workerData;
const efl = require(folder);

const classes = 37;
const rows = 613;

/** Numbers from 0 to 1, the same everywhere. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = generator(12345);
const randomLogits = () =>
  Float32Array.from({ length: rows * classes }, () => Math.fround((random() - 0.6) * 12));
const logits = [randomLogits(), randomLogits(), randomLogits()];
const labels = Int32Array.from({ length: rows }, () => {
  const chance = random();
  if (chance < 0.7) return 0;
  return chance < 0.75 ? -1 : 1 + Math.floor(random() * classes);
});
const quality = Float32Array.from({ length: rows }, () => Math.fround(random()));
const frequencies = Float64Array.from({ length: classes }, (_, j) => 1 / (1 + j * j));

/** Values as arrays of numbers, by name: in JSON they keep every bit. */
const results = {};
function record(name, { loss, grad }) {
  results[name] = [loss, ...(grad.data ?? grad)];
}

function everyLoss() {
  const options = { numClasses: classes };
  const criteria = {
    FocalLoss: new efl.FocalLoss(options),
    EqualizedFocalLoss: new efl.EqualizedFocalLoss(options),
    QualityFocalLoss: new efl.QualityFocalLoss(options),
    EqualizedQualityFocalLoss: new efl.EqualizedQualityFocalLoss(options),
    EqualizationLossV2: new efl.EqualizationLossV2(options),
    EqualizationLoss: new efl.EqualizationLoss({ ...options, classFrequencies: frequencies }),
    AdaptiveClassSuppressionLoss: new efl.AdaptiveClassSuppressionLoss(options),
    EqualizedVarifocalLoss: new efl.EqualizedVarifocalLoss(options),
    IouAwareBceLoss: new efl.IouAwareBceLoss(options),
    MatchabilityAwareLoss: new efl.MatchabilityAwareLoss(options),
    AsymmetricLoss: new efl.AsymmetricLoss(options),
    EffectiveClassMarginLoss: new efl.EffectiveClassMarginLoss({
      ...options,
      classCounts: frequencies,
    }),
  };
  for (const [name, criterion] of Object.entries(criteria)) {
    const takesQuality = /Quality|Varifocal|IouAware|Matchability/.test(name);
    const call = takesQuality ? { quality } : {};
    for (const [step, values] of logits.entries()) {
      const result = criterion.forwardBackward(values, labels, {
        ...call,
        normalizer: 'positives',
      });
      record(`${name}, step ${step}`, result);
    }
    if (criterion.gradientRatio) results[`${name}, g`] = [...criterion.gradientRatio];
    criterion.dispose();
  }
}

function everyForm() {
  const criterion = new efl.EqualizedFocalLoss({ numClasses: classes });
  const bits = new Uint32Array(logits[0].buffer);
  const data = Uint16Array.from(bits, (value) => value >>> 16);
  const half = { data, shape: [rows, classes], dtype: 'bfloat16' };
  record('bfloat16', criterion.forwardBackward(half, labels));
  const map = { data: logits[1].subarray(0, classes * 100), shape: [1, classes, 10, 10] };
  record('NCHW', criterion.forwardBackward(map, labels.subarray(0, 100), { layout: 'NCHW' }));
  criterion.dispose();
}

async function asynchronously() {
  const criterion = new efl.EqualizedFocalLoss({ numClasses: classes });
  const calls = logits.map((values) => criterion.forwardBackwardAsync(values, labels));
  for (const [index, result] of (await Promise.all(calls)).entries()) {
    record(`asynchronous ${index}`, result);
  }
  return criterion;
}

async function throughAFile(criterion) {
  const temporary = mkdtempSync(path.join(tmpdir(), 'efl-trial-'));
  const file = path.join(temporary, 'state ü.safetensors');
  await criterion.saveState(file);
  const other = new efl.EqualizedFocalLoss({ numClasses: classes });
  await other.loadState(file);
  results['state through a file'] = [...other.focusingFactor];
  rmSync(temporary, { recursive: true });
}

async function inWorkers() {
  const workers = [0, 1].map(() => {
    const worker = new Worker(__filename, { workerData: folder });
    return new Promise((resolve, reject) => {
      worker.once('message', (message) => void worker.terminate().then(() => resolve(message)));
      worker.once('error', reject);
    });
  });
  for (const [index, values] of (await Promise.all(workers)).entries()) {
    results[`worker ${index}`] = values;
  }
}

/** A linear classifier by gradient descent; its losses must fall. */
function trains() {
  const [inputs, count] = [8, 200];
  const x = Float32Array.from({ length: count * inputs }, () => random() - 0.5);
  const truth = Array.from({ length: 4 * inputs }, () => random() - 0.5);
  const scores = (w, row, j) =>
    x
      .subarray(row * inputs, (row + 1) * inputs)
      .reduce((sum, v, i) => sum + v * w[j * inputs + i], 0);
  const best = (row) =>
    [0, 1, 2, 3].sort((a, b) => scores(truth, row, b) - scores(truth, row, a))[0];
  const target = Int32Array.from({ length: count }, (_, row) => 1 + best(row));
  const criterion = new efl.EqualizedFocalLoss({ numClasses: 4 });
  const w = new Float64Array(4 * inputs);
  const losses = [];
  for (let step = 0; step < 60; step++) {
    const z = Float32Array.from({ length: count * 4 }, (_, k) => scores(w, k >> 2, k & 3));
    const { loss, grad } = criterion.forwardBackward(z, target, { normalizer: 'positives' });
    losses.push(loss);
    for (const [k, slope] of grad.entries()) {
      for (let i = 0; i < inputs; i++)
        w[(k & 3) * inputs + i] -= 8 * slope * x[(k >> 2) * inputs + i];
    }
  }
  if (!(losses.at(-1) < losses[0] / 2)) throw new Error(`it does not learn: ${losses}`);
  results.training = losses;
}

function refuses() {
  try {
    new efl.EqualizedFocalLoss({ numClasses: 0 });
  } catch (error) {
    if (error instanceof efl.EflArgumentError && error.argument === 'numClasses') return;
    throw error;
  }
  throw new Error('numClasses 0 is not refused');
}

async function main() {
  everyLoss();
  everyForm();
  const criterion = await asynchronously();
  await throughAFile(criterion);
  await inWorkers();
  trains();
  refuses();
  const [cpu, cuda] = efl.backends();
  const runtime = process.versions.bun
    ? `Bun ${process.versions.bun}`
    : `Node.js ${process.versions.node}`;
  const report = { platform: process.platform, arch: process.arch, runtime, cpu, cuda, results };
  writeFileSync(process.argv[3], JSON.stringify(report));
}

if (isMainThread) {
  main().catch((error) => {
    writeFileSync(process.argv[3], JSON.stringify({ error: String(error.stack ?? error) }));
    process.exitCode = 1;
  });
} else {
  const criterion = new efl.EqualizedFocalLoss({ numClasses: classes });
  const { loss, grad } = criterion.forwardBackward(logits[0], labels);
  parentPort.postMessage([loss, ...grad]);
}
