import { load as loadPackage, missing, versionOf } from '../host/packages';
import { allThreads } from '../host/threads';
import type { Problem } from '../workload/workload';
import type { Contender, Solver, Task } from './contender';
import { buildModel } from './onnx-model';

/** What is used of onnxruntime-node, which may not be installed. */
interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<Session>;
  };
  readonly Tensor: new (
    type: 'float32' | 'int32',
    data: Float32Array | Int32Array,
    shape: readonly number[],
  ) => unknown;
}
interface Session {
  run(inputs: object): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>;
  release(): Promise<void>;
}

const runtimeName = 'onnxruntime-node';

/** Gradient and sums derived by hand: onnxruntime-node does not differentiate. */
export const contenders: readonly Contender[] = [
  {
    id: 'onnxruntime-node',
    name: 'onnxruntime-node, graph with the gradient by hand',
    family: 'onnxruntime',
    threads: allThreads,
    arrays: 20,
    mostLogits: 24_100_000, // at 18 times the memory of the logits
    missing: missing(runtimeName, 'onnx-proto'),
    load,
  },
];

function load(): Solver {
  const runtime = loadPackage(runtimeName) as Runtime;
  return { version: versionOf(runtimeName), prepare: (problem) => prepare(runtime, problem) };
}

async function prepare(runtime: Runtime, problem: Problem): Promise<Task> {
  const { rows, classes, logits, labels, gamma } = problem;
  const session = await runtime.InferenceSession.create(buildModel(classes), {
    intraOpNumThreads: allThreads,
    graphOptimizationLevel: 'all',
    // Else its threads go on spinning for a while when the next contender has its turn.
    extra: { session: { force_spinning_stop: '1' } },
  });
  const inputs = {
    logits: new runtime.Tensor('float32', logits, [rows, classes]),
    labels: new runtime.Tensor('int32', labels, [rows, 1]),
    gamma: new runtime.Tensor('float32', Float32Array.from(gamma), [1, classes]),
  };
  let outputs: Awaited<ReturnType<Session['run']>> = {};
  return {
    solve: async () => {
      outputs = await session.run(inputs);
    },
    solution: () => ({
      loss: outputs['loss']!.data[0]!,
      gradient: outputs['gradient']!.data,
      positive: Float64Array.from(outputs['positive']!.data),
      negative: Float64Array.from(outputs['negative']!.data),
    }),
    dispose: () => {
      void session.release();
    },
  };
}
