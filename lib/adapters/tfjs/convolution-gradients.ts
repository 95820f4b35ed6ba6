/** The gradients of a convolution as convolutions, which are the fast kernel of the wasm backend. */
import * as tf from '@tensorflow/tfjs-core';
import { EflError } from '../../errors';

/** One of the two directions of an image. */
interface Direction {
  readonly stride: number;
  readonly filter: number;
  readonly input: number;
  readonly output: number;
  /** Padding before the first pixel. */
  readonly before: number;
}

type Attributes = Omit<tf.Conv2DBackpropInputAttrs, 'inputShape'>;
type Shape = tf.Conv2DBackpropInputAttrs['inputShape'];

function directionsOf(
  inputShape: Shape,
  filterShape: Shape,
  { strides, pad, dimRoundingMode, dataFormat }: Attributes,
): { height: Direction; width: Direction } {
  const info = tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
    false,
    tf.backend_util.convertConv2DDataFormat(dataFormat),
  );
  return {
    height: {
      stride: info.strideHeight,
      filter: info.filterHeight,
      input: info.inHeight,
      output: info.outHeight,
      before: info.padInfo.top,
    },
    width: {
      stride: info.strideWidth,
      filter: info.filterWidth,
      input: info.inWidth,
      output: info.outWidth,
      before: info.padInfo.left,
    },
  };
}

/**
 * [n, h, w, in]: the gradient, spread out by the stride, convolved with the filter turned by 180
 * degrees and its channels exchanged.
 */
export function inputGradient(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  attributes: tf.Conv2DBackpropInputAttrs,
): tf.Tensor4D | undefined {
  if (attributes.dataFormat !== 'NHWC') return undefined;
  const { height, width } = directionsOf(attributes.inputShape, filter.shape as Shape, attributes);
  return tf.tidy(() => {
    const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
    const spread = spreadOut(dy, height.stride, width.stride);
    const framed = frame(spread, [spreadFrame(height), spreadFrame(width)]);
    return tf.conv2d(framed, turned, 1, 'valid');
  });
}

/** Where the gradient lies in what the turned filter slides over: so many zeros on either side. */
function spreadFrame({ stride, filter, input, output, before }: Direction): [number, number] {
  const first = filter - 1 - before;
  return [first, input + filter - 1 - first - ((output - 1) * stride + 1)];
}

/**
 * [kh, kw, in, out]: the input convolved with the gradient as filter, batch and channels exchanged;
 * the stride of the one is the dilation of the other.
 */
export function filterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  attributes: tf.Conv2DBackpropFilterAttrs,
): tf.Tensor4D {
  if (attributes.dataFormat !== 'NHWC') {
    const message = "the wasm backend has the gradient by a convolution's filter for NHWC alone";
    throw new EflError('EFL_TFJS_BACKEND', message);
  }
  // What comes of nothing the backend leaves unwritten.
  if (x.size === 0 || dy.size === 0) return tf.zeros(attributes.filterShape) as tf.Tensor4D;
  const { height, width } = directionsOf(x.shape as Shape, attributes.filterShape, attributes);
  return tf.tidy(() => {
    const framed = frame(x, [touchedFrame(height), touchedFrame(width)]);
    const images = tf.transpose(framed, [3, 1, 2, 0]);
    const kernel = tf.transpose(dy, [1, 2, 0, 3]);
    const dilations: [number, number] = [height.stride, width.stride];
    return tf.transpose(tf.conv2d(images, kernel, 1, 'valid', 'NHWC', dilations), [1, 2, 0, 3]);
  });
}

/** Padding that leaves what the filter has touched; less than none cuts off what it has not. */
function touchedFrame({ stride, filter, input, output, before }: Direction): [number, number] {
  return [before, (output - 1) * stride + filter - before - input];
}

/** Pads height and width with zeros, or cuts off where a number is negative. */
function frame(
  x: tf.Tensor4D,
  [[top, bottom], [left, right]]: readonly [[number, number], [number, number]],
): tf.Tensor4D {
  const [n, height, width, channels] = x.shape as Shape;
  const cut = (amount: number): number => Math.max(0, -amount);
  const add = (amount: number): number => Math.max(0, amount);
  // Padded first: of a small image more may be cut off than there is on one side.
  const padded = tf.pad(x, [
    [0, 0],
    [add(top), add(bottom)],
    [add(left), add(right)],
    [0, 0],
  ]);
  return tf.slice(
    padded,
    [0, cut(top), cut(left), 0],
    [n, height + top + bottom, width + left + right, channels],
  );
}

/** Puts stride - 1 zeros between pixels. */
function spreadOut(x: tf.Tensor4D, rowStride: number, columnStride: number): tf.Tensor4D {
  if (rowStride === 1 && columnStride === 1) return x;
  const [n, height, width, channels] = x.shape as Shape;
  const columns = followedByZeros(x, [n * height, width, 1, channels], columnStride, 2);
  const rowLength = width * columnStride * channels;
  const rows = followedByZeros(columns, [n, height, 1, rowLength], rowStride, 2);
  const whole = tf.reshape(rows, [n, height * rowStride, width * columnStride, channels]);
  return tf.slice(
    whole as tf.Tensor4D,
    [0, 0, 0, 0],
    [n, (height - 1) * rowStride + 1, (width - 1) * columnStride + 1, channels],
  );
}

function followedByZeros(x: tf.Tensor, shape: Shape, count: number, axis: number): tf.Tensor {
  const parts = tf.reshape(x, shape);
  if (count === 1) return parts;
  const zeros = tf.zeros(shape.map((length, i) => (i === axis ? count - 1 : length)));
  return tf.concat([parts, zeros], axis);
}
