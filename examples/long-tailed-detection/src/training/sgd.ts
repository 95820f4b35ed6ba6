/** Stochastic gradient descent with momentum; weight decay on weights, not on biases. */
import * as tf from '@tensorflow/tfjs-core';

export class MomentumSgd {
  private readonly variables: readonly (readonly [string, tf.Variable])[];
  /** One per variable, under its name. */
  readonly momenta: ReadonlyMap<string, tf.Variable>;
  private readonly momentum: number;
  private readonly weightDecay: number;

  constructor(parameters: Record<string, tf.Variable>, momentum: number, weightDecay: number) {
    this.variables = Object.entries(parameters);
    this.momenta = new Map(
      this.variables.map(([name, variable]) => [name, tf.variable(tf.zerosLike(variable), false)]),
    );
    this.momentum = momentum;
    this.weightDecay = weightDecay;
  }

  /** `gradients` by the variables' own names, as `tf.variableGrads` returns them. */
  apply(gradients: tf.NamedTensorMap, learningRate: number): void {
    tf.tidy(() => {
      for (const [name, variable] of this.variables) {
        const momentum = this.momenta.get(name)!;
        const decay = name.endsWith('.weight') ? this.weightDecay : 0;
        const gradient = tf.add(gradients[variable.name], tf.mul(variable, decay));
        momentum.assign(tf.add(tf.mul(momentum, this.momentum), gradient));
        variable.assign(tf.sub(variable, tf.mul(momentum, learningRate)));
      }
    });
  }

  dispose(): void {
    for (const momentum of this.momenta.values()) momentum.dispose();
  }
}

/** Linear warm-up over a tenth of the steps (at most 100), then two drops by ten. */
export function learningRateAt(step: number, steps: number, base: number): number {
  const warmUp = Math.min(1, (step + 1) / Math.min(100, steps * 0.1));
  const done = step / steps;
  const drop = done < 0.67 ? 1 : done < 0.92 ? 0.1 : 0.01;
  return base * warmUp * drop;
}
