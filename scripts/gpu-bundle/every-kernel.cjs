// A small call of every kind of kernel, each compared with the CPU backend: for compute-sanitizer, and
// to see at once whether a GPU computes what it should. With --quick one number of classes does.
'use strict';

const {
  CudaGraph,
  CudaStream,
  CudaTensor,
  EqualizationLossV2,
  EqualizedFocalLoss,
  FocalLoss,
  QualityFocalLoss,
  backends,
} = require('../../dist/index.js');
const { bitsOf, valuesOf } = require('../../dist/bench/workload/half.js');
const { generator } = require('../../dist/bench/workload/workload.js');

const types = ['float32', 'float16', 'bfloat16'];
/** Rows of classes, and feature maps. */
const layouts = [undefined, 'NCHW'];
const tolerance = { float32: 1e-4, float16: 2e-3, bfloat16: 1e-2 };
/** Below, a float16 is a multiple of 2^-24. */
const negligible = { float32: 1e-12, float16: 2 ** -14, bfloat16: 1e-12 };

let calls = 0;

function expectEqual(what, actual, expected, type = 'float32') {
  calls += 1;
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} values`);
  for (let i = 0; i < expected.length; i++) {
    const scale = Math.max(Math.abs(expected[i]), negligible[type]);
    if (!(Math.abs(actual[i] - expected[i]) <= tolerance[type] * scale)) {
      throw new Error(`${what}: ${actual[i]} at ${i}, the CPU has ${expected[i]}`);
    }
  }
}

/** Logits, labels and their shape; for NCHW three images of 4 x 4 positions, a whole number of vectors. */
function problem({ classes, type, layout, seed }) {
  const random = generator(seed);
  const rows = 48;
  const shape = layout === 'NCHW' ? [3, classes, 4, 4] : [rows, classes];
  const values = Float32Array.from({ length: rows * classes }, () => 12 * random() - 8);
  const labels = Int32Array.from({ length: rows }, () => Math.floor(random() * (classes + 2)) - 1);
  return { logits: { data: bitsOf(values, type), shape, dtype: type }, labels };
}

/** `misaligned`: not at a multiple of 16 bytes, for which there are kernels of their own. */
function onDevice({ data, shape, dtype }, misaligned) {
  if (!misaligned) return CudaTensor.fromHost({ data, shape, dtype });
  const owner = CudaTensor.empty([data.length + 1], { dtype });
  const pointer = owner.pointer + BigInt(data.BYTES_PER_ELEMENT);
  return CudaTensor.wrap({ pointer, shape, dtype, owner }).copyFrom({ data, shape, dtype });
}

const readable = (data, dtype) => valuesOf(data, dtype ?? 'float32');
const valuesIn = (tensor) => {
  const { data, dtype } = tensor.toHost();
  return readable(data, dtype);
};

/** The same call on the CPU and on the device. */
function compare(what, newCriterion, { logits, labels }, { call = {}, onCpu = call, misaligned }) {
  const cpu = newCriterion('cpu');
  const cuda = newCriterion('auto');
  const expected = cpu.forwardBackward(logits, labels, onCpu);
  const own = labels instanceof Int32Array ? labels : onDevice(labels);
  const device = onDevice(logits, misaligned);
  const grad = onDevice({ ...logits, data: logits.data.slice() }, misaligned);
  const actual = cuda.forwardBackward(device, own, { ...call, grad });
  const type = logits.dtype;
  expectEqual(`${what}, grad`, valuesIn(actual.grad), readable(expected.grad.data, type), type);
  if (expected.elements) {
    expectEqual(`${what}, elements`, valuesIn(actual.elements), expected.elements.data);
  }
  const { gradOutput: _device, ...forwardCall } = call;
  const loss = cuda.forward(device, own, forwardCall).loss.item();
  const { gradOutput: _cpu, ...forwardOnCpu } = onCpu;
  const expectedLoss = cpu.forward(logits, labels, forwardOnCpu).loss;
  expectEqual(`${what}, loss`, [actual.loss.item(), loss], [expected.loss, expectedLoss]);
  if (cuda.statistics) {
    expectEqual(`${what}, positive`, cuda.statistics.positive, cpu.statistics.positive);
    expectEqual(`${what}, negative`, cuda.statistics.negative, cpu.statistics.negative);
  }
}

function compareCollect(what, newCriterion, { logits, labels }, { layout, misaligned }) {
  const cpu = newCriterion('cpu');
  const cuda = newCriterion('auto');
  cpu.collectGrad(logits, labels, { layout });
  cuda.collectGrad(onDevice(logits, misaligned), labels, { layout });
  expectEqual(`${what}, positive`, cuda.statistics.positive, cpu.statistics.positive);
  expectEqual(`${what}, negative`, cuda.statistics.negative, cpu.statistics.negative);
}

/** Rows and planes, in every type, plain, with what is uncommon, and misaligned. */
function fusedKernels() {
  const losses = { focal: EqualizedFocalLoss, 'cross entropy': EqualizationLossV2 };
  let seed = 1;
  for (const classes of process.argv.includes('--quick') ? [21] : [5, 37, 211]) {
    for (const type of types) {
      for (const layout of layouts) {
        const given = problem({ classes, type, layout, seed: seed++ });
        for (const variant of ['plain', 'elements', 'misaligned']) {
          const misaligned = variant === 'misaligned';
          const where = `${type}, ${layout ?? 'rows'}, ${classes} classes, ${variant}`;
          for (const [name, Loss] of Object.entries(losses)) {
            const reduction = variant === 'elements' ? 'none' : 'sum';
            const make = (device) => new Loss({ numClasses: classes, reduction, device });
            compare(`${name}, ${where}`, make, given, { call: { layout }, misaligned });
          }
          // No plain kernel takes so large a gamma.
          const gamma = variant === 'elements' ? 2e9 : 2;
          const make = (device) => new EqualizedFocalLoss({ numClasses: classes, gamma, device });
          compareCollect(`collectGrad, ${where}`, make, given, { layout, misaligned });
        }
      }
    }
  }
}

/** What goes beside the logits. */
function otherArguments() {
  const classes = 19;
  for (const layout of layouts) {
    const given = problem({ classes, type: 'float32', layout, seed: 77 });
    const random = generator(5);
    const { shape } = given.logits;
    const tensor = (length) => Float32Array.from({ length }, random);
    const make = (Loss, options) => (device) =>
      new Loss({ numClasses: classes, device, ...options });

    const targets = { data: tensor(48 * classes), shape, dtype: 'float32' };
    compare('dense targets', make(FocalLoss), { ...given, labels: targets }, { call: { layout } });

    const quality = tensor(48);
    compare('quality', make(QualityFocalLoss), given, { call: { layout, quality } });

    const upstream = { data: tensor(48 * classes), shape, dtype: 'float32' };
    compare('gradOutput', make(FocalLoss, { reduction: 'none' }), given, {
      call: { layout, gradOutput: CudaTensor.fromHost(upstream) },
      onCpu: { layout, gradOutput: upstream },
    });

    compare('normalizer on the device', make(EqualizedFocalLoss), given, {
      call: { layout, normalizer: CudaTensor.fromHost(Float32Array.of(7)) },
      onCpu: { layout, normalizer: 7 },
    });
    const positives = { layout, normalizer: 'positives' };
    compare('positives', make(EqualizedFocalLoss), given, { call: positives });

    const wider = problem({ classes: classes + 1, type: 'float32', layout, seed: 78 });
    const labels = wider.labels.map((label) => Math.min(label, classes));
    compare(
      'objectness',
      make(EqualizationLossV2, { objectness: true }),
      { ...wider, labels },
      {
        call: { layout },
      },
    );
  }
}

function levels() {
  const classes = 7;
  const given = [1, 2, 3].map((seed) =>
    problem({ classes, type: 'float16', layout: 'NCHW', seed: 200 + seed }),
  );
  const make = (device) => new EqualizedFocalLoss({ numClasses: classes, device });
  const call = { layout: 'NCHW', normalizer: 'positives' };
  const labels = given.map((level) => level.labels);
  const expected = make('cpu').forwardBackward(
    given.map(({ logits }) => logits),
    labels,
    call,
  );
  const tensors = given.map(({ logits }) => onDevice(logits));
  const actual = make('auto').forwardBackward(tensors, labels, call);
  expectEqual('levels, loss', [actual.loss.item()], [expected.loss]);
  actual.grad.forEach((grad, level) => {
    const wanted = valuesOf(expected.grad[level].data, 'float16');
    expectEqual(`levels, grad[${level}]`, valuesIn(grad), wanted, 'float16');
  });
}

function graph() {
  const classes = 13;
  const stream = new CudaStream();
  const first = problem({ classes, type: 'bfloat16', seed: 300 });
  const logits = onDevice(first.logits);
  const labels = CudaTensor.fromHost(first.labels);
  const grad = onDevice(first.logits);
  const cpu = new EqualizedFocalLoss({ numClasses: classes, device: 'cpu' });
  const cuda = new EqualizedFocalLoss({ numClasses: classes });
  const step = () => cuda.forwardBackward(logits, labels, { stream, grad });
  step();
  cpu.forwardBackward(first.logits, first.labels);
  const captured = CudaGraph.capture(stream, step);
  for (const seed of [301, 302]) {
    const next = problem({ classes, type: 'bfloat16', seed });
    logits.copyFrom(next.logits, { stream });
    labels.copyFrom(next.labels, { stream });
    captured.replay(stream);
    const expected = cpu.forwardBackward(next.logits, next.labels);
    expectEqual(
      'graph, grad',
      valuesIn(grad),
      valuesOf(expected.grad.data, 'bfloat16'),
      'bfloat16',
    );
  }
  expectEqual('graph, positive', cuda.statistics.positive, cpu.statistics.positive);
  captured.dispose();
}

function hostArrays() {
  for (const type of types) {
    for (const layout of layouts) {
      const { logits, labels } = problem({ classes: 23, type, layout, seed: 400 });
      const [cpu, cuda] = ['cpu', 'cuda'].map((device) =>
        new EqualizedFocalLoss({ numClasses: 23, device }).forwardBackward(logits, labels, {
          layout,
        }),
      );
      const what = `arrays of the host, ${type}, ${layout ?? 'rows'}`;
      const read = ({ grad }) => valuesOf(grad.data, type);
      expectEqual(`${what}, grad`, read(cuda), read(cpu), type);
      expectEqual(`${what}, loss`, [cuda.loss], [cpu.loss]);
    }
  }
}

const { available, detail } = backends().find(({ name }) => name === 'cuda');
console.log(detail);
if (!available) process.exit(1);
for (const part of [fusedKernels, otherArguments, levels, graph, hostArrays]) part();
console.log(`${calls} results are those of the CPU.`);
