import { CudaTensor, type CudaStream } from '../..';
import type { GpuProblem, Maps } from './problem';
import { mapOf } from './traffic';

interface Pair {
  readonly logits: CudaTensor;
  readonly grad: CudaTensor;
}

/** The arrays of one call, as rows and, in the same memory, as feature maps. */
export interface CallBuffer {
  readonly rows: Pair;
  readonly planes: Pair;
  readonly maps: Maps;
  readonly labels: CudaTensor;
}

/** Several copies of a problem on the device, to be used in turn: no cache holds the next one. */
export class Buffers {
  readonly items: readonly CallBuffer[];

  constructor(problem: GpuProblem, count: number, stream: CudaStream) {
    const { rows, classes, bits, labels, type: dtype } = problem;
    const shape = [rows, classes];
    const made: CallBuffer[] = [];
    this.items = made;
    try {
      for (let index = 0; index < count; index++) {
        const first = made[0];
        const logits = CudaTensor.empty(shape, { dtype, stream });
        logits.copyFrom(first?.rows.logits ?? { data: bits, shape, dtype }, { stream });
        const ownLabels = CudaTensor.empty([rows], { dtype: 'int32', stream });
        ownLabels.copyFrom(first?.labels ?? labels, { stream });
        const pair = { logits, grad: CudaTensor.empty(shape, { dtype, stream }) };
        const maps = mapOf(rows);
        const planes = {
          logits: asMaps(pair.logits, classes, maps),
          grad: asMaps(pair.grad, classes, maps),
        };
        made.push({ rows: pair, planes, maps, labels: ownLabels });
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const { rows, planes, labels } of this.items) {
      for (const tensor of [planes.logits, planes.grad, rows.logits, rows.grad, labels]) {
        tensor.dispose();
      }
    }
  }
}

function asMaps(tensor: CudaTensor, classes: number, [images, height, width]: Maps): CudaTensor {
  const { pointer, dtype, device } = tensor;
  const shape = [images, classes, height, width];
  return CudaTensor.wrap({ pointer, shape, dtype, device, owner: tensor });
}

/** Some rows of a tensor, in its memory. What is under way with it has to be done. */
export function rowsOfTensor(tensor: CudaTensor, first: number, rows: number): CudaTensor {
  const { dtype, device } = tensor;
  const columns = tensor.shape[1]!;
  const offset = first * columns * (dtype === 'float32' ? 4 : 2);
  const pointer = tensor.pointer + BigInt(offset);
  return CudaTensor.wrap({ pointer, shape: [rows, columns], dtype, device, owner: tensor });
}
