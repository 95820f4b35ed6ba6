import { priorBias } from '../..';
import type { Tensor, TensorFlow, Variable } from '../contenders/tensorflow';
import { makeProblem, mixed } from '../workload/workload';
import { dense, relu } from './layers';
import type { TrainingLoss } from './losses';

interface Shape {
  readonly rows: number;
  readonly features: number;
  readonly hidden: number;
  readonly classes: number;
}

const learningRate = 0.3;
const momentumFactor = 0.9;
const weightDecay = 1e-4;

/**
 * Two dense layers and what trains them, always from the same start and on the same cells. A step is
 * forward, loss, backward, new weights; it returns the loss.
 */
export function trainerOf(
  tf: TensorFlow,
  { rows, features, hidden, classes }: Shape,
  lossFor: (labels: Int32Array) => TrainingLoss,
): () => number {
  const loss = lossFor(makeProblem(mixed(rows, classes)).labels);
  const x = randomTensor(tf, rows, features, 1);
  const w1 = tf.variable(randomTensor(tf, features, hidden, Math.sqrt(2 / features)));
  const b1 = tf.variable(tf.fill([hidden], 0));
  const w2 = tf.variable(randomTensor(tf, hidden, classes, 0.01));
  const b2 = tf.variable(tf.fill([classes], priorBias(0.1)));
  const parameters = [w1, b1, w2, b2].map((parameter) => ({
    parameter,
    momentum: tf.variable(tf.zerosLike(parameter), false),
  }));
  const logits = (): Tensor => dense(tf, relu(tf, dense(tf, x, w1, b1)), w2, b2);
  return () => {
    const value = tf.tidy(() => {
      const result = tf.variableGrads(() => loss(logits()));
      for (const { parameter, momentum } of parameters) {
        update(tf, parameter, momentum, result.grads[parameter.name]!);
      }
      return result.value;
    });
    const [read] = value.dataSync();
    value.dispose();
    return read!;
  };
}

function update(tf: TensorFlow, parameter: Variable, momentum: Variable, gradient: Tensor): void {
  const decay = parameter.shape.length > 1 ? weightDecay : 0;
  const total = tf.add(gradient, tf.mul(parameter, decay));
  momentum.assign(tf.add(tf.mul(momentum, momentumFactor), total));
  parameter.assign(tf.sub(parameter, tf.mul(momentum, learningRate)));
}

/** Uniform, with mean 0. Logits of a workload are uniform as well: from -8.5 to -0.5. */
function randomTensor(tf: TensorFlow, rows: number, columns: number, deviation: number): Tensor {
  const { logits } = makeProblem(mixed(rows, columns));
  const scale = (deviation * Math.sqrt(12)) / 8;
  return tf.tensor(
    logits.map((logit) => (logit + 4.5) * scale),
    [rows, columns],
  );
}
