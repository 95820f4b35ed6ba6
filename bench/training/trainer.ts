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

/** Two dense layers and what trains them, always from the same start and on the same cells. */
export class Trainer {
  readonly #tf: TensorFlow;
  readonly #loss: TrainingLoss;
  readonly #features: Tensor;
  readonly #parameters: Readonly<Record<'w1' | 'b1' | 'w2' | 'b2', Variable>>;
  readonly #momenta: readonly Variable[];

  constructor(tf: TensorFlow, shape: Shape, lossFor: (labels: Int32Array) => TrainingLoss) {
    const { rows, features, hidden, classes } = shape;
    this.#tf = tf;
    this.#loss = lossFor(makeProblem(mixed(rows, classes)).labels);
    this.#features = tf.tensor(randomValues(rows, features, 1), [rows, features]);
    this.#parameters = {
      w1: this.#weights(features, hidden, Math.sqrt(2 / features)),
      b1: tf.variable(tf.fill([hidden], 0)),
      w2: this.#weights(hidden, classes, 0.01),
      b2: tf.variable(tf.fill([classes], priorBias(0.1))),
    };
    this.#momenta = Object.values(this.#parameters).map((parameter) =>
      tf.variable(tf.zerosLike(parameter), false),
    );
  }

  /** Forward, loss, backward, new weights. Returns the loss. */
  step(): number {
    const tf = this.#tf;
    const value = tf.tidy(() => {
      const result = tf.variableGrads(() => this.#loss.of(this.#logits()));
      Object.values(this.#parameters).forEach((parameter, i) => {
        this.#update(parameter, this.#momenta[i]!, result.grads[parameter.name]!);
      });
      return result.value;
    });
    const [loss] = value.dataSync();
    value.dispose();
    return loss!;
  }

  #logits(): Tensor {
    const { w1, b1, w2, b2 } = this.#parameters;
    const hidden = relu(this.#tf, dense(this.#tf, this.#features, w1, b1));
    return dense(this.#tf, hidden, w2, b2);
  }

  #update(parameter: Variable, momentum: Variable, gradient: Tensor): void {
    const tf = this.#tf;
    const decay = parameter.shape.length > 1 ? weightDecay : 0;
    const total = tf.add(gradient, tf.mul(parameter, decay));
    momentum.assign(tf.add(tf.mul(momentum, momentumFactor), total));
    parameter.assign(tf.sub(parameter, tf.mul(momentum, learningRate)));
  }

  #weights(inputs: number, outputs: number, deviation: number): Variable {
    const values = randomValues(inputs, outputs, deviation);
    return this.#tf.variable(this.#tf.tensor(values, [inputs, outputs]));
  }
}

/** Uniform, with mean 0. Logits of a workload are uniform as well: from -8.5 to -0.5. */
function randomValues(rows: number, columns: number, deviation: number): Float32Array {
  const { logits } = makeProblem(mixed(rows, columns));
  const scale = (deviation * Math.sqrt(12)) / 8;
  return logits.map((logit) => (logit + 4.5) * scale);
}
