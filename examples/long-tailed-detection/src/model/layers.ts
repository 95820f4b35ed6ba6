/**
 * Layers with gradients of their own, for two reasons. On the wasm backend the stock gradient of
 * `matMul` falls into a naive loop (0.5-2 GFLOPS instead of 20) and that of `conv2d` to its filter
 * does not exist; here both use kernels that are fast: plain `matMul`, `conv2d` and `transpose`.
 * And tfjs-core alone, without the large umbrella package, registers no gradients at all.
 */
import * as tf from '@tensorflow/tfjs-core';

interface Differentiable<Inputs extends tf.Tensor[], Output extends tf.Tensor> {
  value: Output;
  /** Tensors of the forward pass that `gradient` needs; TensorFlow.js would dispose others. */
  saved: tf.Tensor[];
  gradient: (dy: Output, saved: tf.Tensor[]) => { [Input in keyof Inputs]: tf.Tensor };
}

/** `tf.customGrad` with types, for operations whose gradient is written by hand. */
export function differentiable<Inputs extends tf.Tensor[], Output extends tf.Tensor>(
  forward: (...inputs: Inputs) => Differentiable<Inputs, Output>,
): (...inputs: Inputs) => Output {
  const operation = tf.customGrad<Output>((...args) => {
    const save = args.at(-1) as tf.GradSaveFunc;
    const { value, saved, gradient } = forward(...(args.slice(0, -1) as Inputs));
    save(saved);
    return { value, gradFunc: gradient };
  });
  return (...inputs) => operation(...inputs);
}

/** [rows, in] x [in, out] */
export const dense = differentiable((x: tf.Tensor2D, weights: tf.Tensor2D) => ({
  value: tf.matMul<tf.Tensor2D>(x, weights),
  saved: [x, weights],
  gradient: (dy, [input, w]) => [
    tf.matMul(dy, tf.transpose(w)),
    tf.matMul(tf.transpose(input), dy),
  ],
}));

/** 3 x 3, stride 1, same size: [n, h, w, in] * [3, 3, in, out] */
export const convolution3x3 = differentiable((x: tf.Tensor4D, filter: tf.Tensor4D) => ({
  value: tf.conv2d(x, filter, 1, 'same'),
  saved: [x, filter],
  gradient: (dy, [input, kernel]) => [
    convolutionInputGradient(dy, kernel as tf.Tensor4D),
    convolutionFilterGradient(dy, input as tf.Tensor4D),
  ],
}));

/** A convolution with the filter turned by 180 degrees and its channels exchanged. */
function convolutionInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D): tf.Tensor4D {
  return tf.conv2d(dy, tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]), 1, 'same');
}

/** A convolution of the input with the gradient as filter, batch and channels exchanged. */
function convolutionFilterGradient(dy: tf.Tensor4D, input: tf.Tensor4D): tf.Tensor4D {
  const images: tf.Tensor4D = tf.transpose(
    tf.pad4d(input, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]),
    [3, 1, 2, 0],
  );
  const filter: tf.Tensor4D = tf.transpose(dy, [1, 2, 0, 3]);
  return tf.transpose(tf.conv2d(images, filter, 1, 'valid'), [1, 2, 0, 3]);
}

export const relu = differentiable((x: tf.Tensor) => {
  const value = tf.relu(x);
  return { value, saved: [value], gradient: (dy, [y]) => [tf.mul(dy, tf.step(y))] };
}) as <T extends tf.Tensor>(x: T) => T;

/** Adds one value per channel, the last dimension. */
export const addBias = differentiable((x: tf.Tensor, bias: tf.Tensor1D) => ({
  value: tf.add(x, bias),
  saved: [],
  gradient: (dy) => [dy, tf.sum(tf.reshape(dy, [-1, bias.shape[0]]), 0)],
})) as <T extends tf.Tensor>(x: T, bias: tf.Tensor1D) => T;

/** Cast by hand: with dtype 'float32' the wasm kernel returns the bits of integers. */
function oneHot(indices: tf.Tensor1D, depth: number): tf.Tensor2D {
  return tf.cast(tf.oneHot(indices, depth) as tf.Tensor2D, 'float32');
}

/** Picks rows by number. The gradient goes back through a one-hot product, which is fast here. */
export function pickRows(x: tf.Tensor2D, rows: tf.Tensor1D): tf.Tensor2D {
  const total = x.shape[0];
  const pick = differentiable((all: tf.Tensor2D) => ({
    value: tf.gather(all, rows),
    saved: [],
    gradient: (dy) => [tf.matMul(tf.transpose(oneHot(rows, total)), dy)],
  }));
  return pick(x);
}

/** [n * height * width, channels] as images. */
export function asImages(x: tf.Tensor2D, height: number, width: number): tf.Tensor4D {
  const channels = x.shape[1];
  const view = differentiable((rows: tf.Tensor2D) => ({
    value: tf.reshape<tf.Rank.R4>(rows, [-1, height, width, channels]),
    saved: [],
    gradient: (dy) => [tf.reshape(dy, x.shape)],
  }));
  return view(x);
}

/** The other way: one row of channels per pixel. */
export function asRows(x: tf.Tensor4D): tf.Tensor2D {
  const view = differentiable((images: tf.Tensor4D) => ({
    value: tf.reshape<tf.Rank.R2>(images, [-1, images.shape[3]]),
    saved: [],
    gradient: (dy) => [tf.reshape(dy, x.shape)],
  }));
  return view(x);
}

/** Cuts [n, h, w, c] into size x size patches, one per row: [n * h/size * w/size, size^2 * c]. */
export function patches(x: tf.Tensor4D, size: number): tf.Tensor2D {
  const [n, height, width, channels] = x.shape;
  const [rows, columns] = [height / size, width / size];
  const cut = differentiable((images: tf.Tensor4D) => {
    const split = tf.reshape(images, [n, rows, size, columns, size, channels]);
    const sorted = tf.transpose(split, [0, 1, 3, 2, 4, 5]);
    return {
      value: tf.reshape<tf.Rank.R2>(sorted, [n * rows * columns, size * size * channels]),
      saved: [],
      gradient: (dy) => {
        const pieces = tf.reshape(dy, [n, rows, columns, size, size, channels]);
        return [tf.reshape(tf.transpose(pieces, [0, 1, 3, 2, 4, 5]), x.shape)];
      },
    };
  });
  return cut(x);
}

/** Mean over the rows of -log softmax(logits)[label]. */
export function softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const [rows, classes] = logits.shape;
  const loss = differentiable((x: tf.Tensor2D) => {
    const targets = oneHot(labels, classes);
    const value = tf.div<tf.Scalar>(tf.sum(tf.mul(targets, tf.logSoftmax(x))), -rows);
    return {
      value,
      saved: [tf.sub(tf.softmax(x), targets)],
      gradient: (dy, [difference]) => [tf.mul(difference, tf.div(dy, rows))],
    };
  });
  return loss(logits);
}
