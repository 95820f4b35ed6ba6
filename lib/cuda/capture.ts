/** The capture under way, of which there is one at most: what may not happen meanwhile. */
import { EflError } from '../errors';
import type { CudaStream } from './cuda-stream';

/** The stream that is being captured. */
let captured: CudaStream | undefined;

export function duringCapture<T>(stream: CudaStream, work: () => T): T {
  captured = stream;
  try {
    return work();
  } finally {
    captured = undefined;
  }
}

/** For what waits: of captured work nothing is done until a graph is replayed. */
export function rejectWhileCapturing(why: string): void {
  if (captured) throw new EflError('EFL_CAPTURE', `a capture is under way: ${why}`);
}

export function rejectReading(): void {
  rejectWhileCapturing('results can be read after a replay');
}

/** A replay would read memory of the host again, when it may be gone. */
export function rejectCapture(argument: string, stream: CudaStream | undefined): void {
  if (!captured || stream !== captured) return;
  throw new EflError(
    'EFL_CAPTURE',
    `${argument}: values in host memory cannot be captured; copy them into a CudaTensor before`,
  );
}
