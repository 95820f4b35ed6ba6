import { load as loadPackage, missing, versionOf } from '../host/packages';
import { alpha, baseGamma, type Problem } from '../workload/workload';
import type { Contender, Solver, Task } from './contender';

/** What is used of jax-js, which may not be installed. It frees an array with its last use. */
interface JaxArray {
  /** For one more use. */
  readonly ref: JaxArray;
  mul(other: JaxArray | number): JaxArray;
  add(other: JaxArray | number): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  dataSync(): Float32Array;
  dispose(): void;
}

type Loss = (x: JaxArray, ...others: JaxArray[]) => JaxArray;
type Step = (...inputs: JaxArray[]) => JaxArray[];

interface Jax {
  init(device: string): Promise<readonly string[]>;
  defaultDevice(device: string): void;
  jit(step: Step): Step & { dispose(): void };
  valueAndGrad(loss: Loss): (...inputs: JaxArray[]) => [JaxArray, JaxArray];
  readonly nn: { softplus(x: JaxArray): JaxArray; logSigmoid(x: JaxArray): JaxArray };
  readonly numpy: {
    array(values: Float32Array): JaxArray;
    abs(x: JaxArray): JaxArray;
    exp(x: JaxArray): JaxArray;
    sum(x: JaxArray, axis?: number): JaxArray;
  };
}

const packageName = '@jax-js/jax';
const device = 'wasm';

/** One compiled function of the loss, the gradient that jax-js derives, and its sums. */
export const contenders: readonly Contender[] = [
  {
    id: 'jax-js-wasm',
    name: 'jax-js, wasm, jit',
    family: 'javascript',
    threads: 1,
    arrays: 12,
    mostLogits: 2_410_000,
    missing: missing(packageName),
    load,
  },
];

async function load(): Promise<Solver> {
  const jax = loadPackage(packageName) as Jax;
  if (!(await jax.init(device)).includes(device)) throw new Error(`its ${device} did not start`);
  jax.defaultDevice(device);
  return { version: versionOf(packageName), prepare: (problem) => prepare(jax, problem) };
}

function prepare(jax: Jax, problem: Problem): Task {
  const { rows, classes, logits, gamma } = problem;
  const matrix = (values: Float32Array) => jax.numpy.array(values).reshape([rows, classes]);
  const { signs, weights } = factorsOf(problem);
  const focusing = jax.numpy.array(Float32Array.from(gamma)).reshape([1, classes]);
  const inputs = [matrix(logits), matrix(signs), matrix(weights), focusing];
  const step = compile(jax);
  let results: JaxArray[] = [];
  const forget = (arrays: readonly JaxArray[]) => {
    for (const array of arrays) array.dispose();
  };
  return {
    solve: () => {
      forget(results);
      results = step(...inputs.map((input) => input.ref));
      results[0]!.ref.dataSync(); // it computes when it is asked
    },
    solution: () => {
      const [loss, gradient, positive, negative] = results.map((array) => array.ref.dataSync());
      return {
        loss: loss![0]!,
        gradient: gradient!,
        positive: Float64Array.from(positive!),
        negative: Float64Array.from(negative!),
      };
    },
    dispose: () => {
      forget([...results, ...inputs]);
      step.dispose();
    },
  };
}

/** Of every logit: -1 for positives and 1 for negatives; alpha_t gamma_j / gamma_b, or 0. */
function factorsOf({ rows, classes, labels, gamma }: Problem) {
  const signs = new Float32Array(rows * classes).fill(1);
  const weights = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    const label = labels[row]!;
    if (label < 0) continue;
    for (let j = 0; j < classes; j++) {
      const isPositive = label === j + 1;
      if (isPositive) signs[row * classes + j] = -1;
      weights[row * classes + j] = ((isPositive ? alpha : 1 - alpha) * gamma[j]!) / baseGamma;
    }
  }
  return { signs, weights };
}

/** With u = x sign, 1 - p_t is sigmoid(u) and -log p_t is softplus(u). */
function compile(jax: Jax) {
  const { nn, numpy: np } = jax;
  const loss: Loss = (x, sign, weight, gamma) => {
    const u = x.mul(sign);
    const entropy = nn.softplus(u.ref);
    const modulator = np.exp(nn.logSigmoid(u).mul(gamma));
    return np.sum(weight.mul(modulator).mul(entropy));
  };
  return jax.jit((x, sign, weight, gamma) => {
    const [value, gradient] = jax.valueAndGrad(loss)(x, sign.ref, weight, gamma);
    const magnitude = np.abs(gradient.ref);
    // (1 - sign) / 2 is 1 for positives.
    const positive = np.sum(magnitude.ref.mul(sign.ref.mul(-0.5).add(0.5)), 0);
    const negative = np.sum(magnitude.mul(sign.mul(0.5).add(0.5)), 0);
    return [value, gradient, positive, negative];
  });
}
