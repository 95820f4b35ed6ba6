import type { Operation } from '../report/report';
import type { LogitType } from '../workload/half';

export const bytesOf: Readonly<Record<LogitType, number>> = { float32: 4, float16: 2, bfloat16: 2 };

/** Arrays as large as the logits that an operation reads and writes. */
const passes: Readonly<Record<Operation, number>> = {
  copy: 2,
  forward: 1,
  forwardBackward: 2,
  inPlace: 2,
  forwardBackwardPlanes: 2,
  collectRows: 1,
  collectPlanes: 1,
};

/**
 * Bytes that a call cannot but read or write: logits or gradients read, the gradient written, one
 * int32 label for each row read once. What a kernel reads again or keeps for itself is not in it.
 */
export function bytesMoved(
  operation: Operation,
  { rows, classes }: { readonly rows: number; readonly classes: number },
  type: LogitType,
): number {
  const labels = operation === 'copy' ? 0 : rows * Int32Array.BYTES_PER_ELEMENT;
  return passes[operation] * rows * classes * bytesOf[type] + labels;
}

/** More than twice what the caches of today's GPUs hold: nothing is in them from the round before. */
const rotatedBytes = 256 * 2 ** 20;
const fewestBuffers = 4;
const mostBuffers = 256;

/** How many inputs take turns, where so much memory is free; 0 where there is no room for one. */
export function bufferCount(bytesPerBuffer: number, freeBytes: number): number {
  const wanted = Math.ceil(rotatedBytes / bytesPerBuffer);
  const bounded = Math.min(mostBuffers, Math.max(fewestBuffers, wanted));
  // The rest is for the workspaces of the calls.
  return Math.min(bounded, Math.floor((0.5 * freeBytes) / bytesPerBuffer));
}

/** Images, height and width of feature maps with so many positions, as square as they divide. */
export function mapOf(positions: number): [images: number, height: number, width: number] {
  const images = [16, 8, 4, 2, 1].find((count) => positions % count === 0)!;
  const area = positions / images;
  let height = Math.floor(Math.sqrt(area));
  while (area % height !== 0) height--;
  return [images, height, area / height];
}
