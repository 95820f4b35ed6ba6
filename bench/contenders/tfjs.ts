import { load, missing, versionOf } from '../host/packages';
import {
  composedLoss,
  gradientSums,
  startTensorFlow,
  targetsOf,
  umbrella,
  wasmBackend,
  type TensorFlow,
} from './tensorflow';
import { allThreads } from '../host/threads';
import type { Problem } from '../workload/workload';
import type { Contender, Solver, Task } from './contender';

/** TensorFlow.js on each of its backends: composed operations, its own gradient, then the sums. */
export const contenders: readonly Contender[] = [
  {
    id: 'tfjs-wasm',
    name: 'TensorFlow.js, wasm',
    family: 'tfjs',
    threads: 1, // it has more in browsers only
    arrays: 30,
    mostLogits: 2_410_000,
    missing: missing(umbrella, wasmBackend),
    load: async () => solverWith(await startTensorFlow('wasm'), versionOf(wasmBackend)),
  },
  {
    id: 'tfjs-cpu',
    name: 'TensorFlow.js, cpu (JavaScript)',
    family: 'tfjs',
    threads: 1,
    arrays: 30,
    mostLogits: 1_210_000,
    missing: missing(umbrella),
    load: async () => solverWith(await startTensorFlow('cpu'), versionOf(umbrella)),
  },
  {
    id: 'tfjs-node',
    name: 'TensorFlow.js, libtensorflow',
    family: 'tfjs',
    threads: allThreads,
    arrays: 30,
    mostLogits: 24_100_000,
    missing: missing('@tensorflow/tfjs-node'),
    load: () =>
      solverWith(load('@tensorflow/tfjs-node') as TensorFlow, versionOf('@tensorflow/tfjs-node')),
  },
];

function solverWith(tf: TensorFlow, version: string | null): Solver {
  return { version, prepare: (problem) => prepare(tf, problem) };
}

function prepare(tf: TensorFlow, { rows, classes, logits, labels, gamma }: Problem): Task {
  const x = tf.tensor(logits, [rows, classes]);
  const labelTensor = tf.tensor(labels, [rows, 1], 'int32');
  const gammaTensor = tf.tensor(Float32Array.from(gamma), [1, classes]);
  const inputs = [x, labelTensor, gammaTensor];

  const step = () => {
    const targets = targetsOf(tf, labelTensor, gammaTensor);
    const lossOf = tf.valueAndGrad((z) => composedLoss(tf, z, targets, gammaTensor));
    const { value, grad } = lossOf(x);
    return [value, grad, ...gradientSums(tf, grad, targets.positive)];
  };
  let results: Tensors = [];
  const forget = (tensors: Tensors) => {
    for (const tensor of tensors) tensor.dispose();
  };
  return {
    solve: () => {
      forget(results);
      results = tf.tidy(step);
      results[0]!.dataSync(); // training reads the loss; gradient and sums stay where they are
    },
    solution: () => {
      const [loss, gradient, positive, negative] = results.map((tensor) => tensor.dataSync());
      return {
        loss: loss![0]!,
        gradient: gradient!,
        positive: Float64Array.from(positive!),
        negative: Float64Array.from(negative!),
      };
    },
    dispose: () => {
      forget([...results, ...inputs]);
    },
  };
}

type Tensors = readonly { dispose(): void; dataSync(): Float32Array }[];
