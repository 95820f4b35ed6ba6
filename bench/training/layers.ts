/**
 * Layers with gradients of their own, as in the example: on the wasm backend the stock gradient of
 * `matMul` falls into a naive loop, which would hide what the loss takes.
 */
import type { Save, Tensor, TensorFlow } from '../contenders/tensorflow';

/** [rows, in] x [in, out] plus one bias for each output. */
export function dense(tf: TensorFlow, x: Tensor, weights: Tensor, bias: Tensor): Tensor {
  const operation = tf.customGrad((input: Tensor, w: Tensor, b: Tensor, save: Save) => {
    save([input, w]);
    return {
      value: tf.add(tf.matMul(input, w), b),
      gradFunc: (dy: Tensor, [savedInput, savedWeights]: Tensor[]) => [
        tf.matMul(dy, tf.transpose(savedWeights!)),
        tf.matMul(tf.transpose(savedInput!), dy),
        tf.sum(dy, 0),
      ],
    };
  });
  return operation(x, weights, bias);
}

export function relu(tf: TensorFlow, x: Tensor): Tensor {
  const operation = tf.customGrad((input, save) => {
    const value = tf.relu(input);
    save([value]);
    return { value, gradFunc: (dy, [saved]) => tf.mul(dy, tf.step(saved!)) };
  });
  return operation(x);
}
