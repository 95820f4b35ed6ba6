import * as tf from '@tensorflow/tfjs-core';
import { EflError } from '../../errors';
import { filterGradient, inputGradient } from './convolution-gradients';

const backendName = 'wasm';

type Kernel = tf.KernelConfig['kernelFunc'];

/** Kernels that gradients run, by name, each made from the one that is there, if any. */
const replacements: Readonly<Record<string, (stock: Kernel | undefined) => Kernel>> = {
  BatchMatMul: (stock) => (params) => {
    const { inputs, attrs } = params;
    const { transposeA, transposeB } = attrs as unknown as Record<string, boolean>;
    const [a, b] = [inputs['a'] as tf.Tensor, inputs['b'] as tf.Tensor];
    // The wasm backend multiplies batches of matrices in a plain loop either way.
    const isPlain = !transposeA && !transposeB;
    if (isPlain || !isFullMatrix(a) || !isFullMatrix(b)) return stock!(params);
    return tf.tidy(() => tf.matMul(matrix(a, transposeA), matrix(b, transposeB)));
  },
  Conv2DBackpropInput: (stock) => (params) => {
    const { dy, filter } = params.inputs;
    const attributes = params.attrs as unknown as tf.Conv2DBackpropInputAttrs;
    if ((dy as tf.Tensor).size === 0) return stock!(params);
    return inputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, attributes) ?? stock!(params);
  },
  Conv2DBackpropFilter: () => (params) => {
    const { x, dy } = params.inputs;
    const attributes = params.attrs as unknown as tf.Conv2DBackpropFilterAttrs;
    return filterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, attributes);
  },
};

/** The fast kernels leave what comes of nothing unwritten. */
function isFullMatrix({ shape, size }: tf.Tensor): boolean {
  return shape.length === 2 && size > 0;
}

function matrix(x: tf.Tensor, transposed: boolean | undefined): tf.Tensor {
  return transposed === true ? tf.transpose(x) : x;
}

let disable: (() => void) | undefined;

/**
 * Makes the gradients of `matMul` and `conv2d` fast on the wasm backend of TensorFlow.js, for every
 * model of this process; off by default. Its kernel for transposed matrices, which autodiff runs, is a
 * plain loop, that for the gradient by a convolution's input as well, and for the one by its filter
 * there is none: convolutions cannot be trained. In their place come kernels made of `transpose`,
 * `matMul` and `conv2d`, which are fast. Results differ in the last digits, as the order of sums does.
 *
 * Matrices of rank 2; convolutions NHWC with any stride and padding, without dilation. What else there
 * is stays with the stock kernels. TensorFlow.js 4, for whose kernel names and attributes this is.
 *
 * Doing it twice is harmless. Returns what puts the stock kernels back.
 *
 * @throws {@link EflError} (`EFL_TFJS_BACKEND`) where `@tensorflow/tfjs-backend-wasm` has not been
 * imported.
 */
export function enableFastWasmGradients(): () => void {
  if (disable) return disable;
  if (!tf.getKernel('BatchMatMul', backendName)) {
    const message = 'enableFastWasmGradients: import @tensorflow/tfjs-backend-wasm first';
    throw new EflError('EFL_TFJS_BACKEND', message);
  }
  const restorers = Object.entries(replacements).map(([kernelName, make]) =>
    replaceKernel(kernelName, make),
  );
  disable = () => {
    if (!disable) return;
    disable = undefined;
    for (const restore of restorers) restore();
  };
  return disable;
}

function replaceKernel(
  kernelName: string,
  make: (stock: Kernel | undefined) => Kernel,
): () => void {
  const stock = tf.getKernel(kernelName, backendName);
  const kernelFunc = make(stock && ((params) => stock.kernelFunc(params)));
  // Unregistered first: TensorFlow.js warns of a kernel that is registered twice.
  if (stock) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ ...stock, kernelName, backendName, kernelFunc });
  return () => {
    tf.unregisterKernel(kernelName, backendName);
    if (stock) tf.registerKernel(stock);
  };
}
