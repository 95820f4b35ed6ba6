import type { CudaStream, CudaTensor, EqualizedFocalLoss } from '../..';
import { operationTitles } from '../report/gpu-tables';
import type { Operation } from '../report/report';
import type { Buffers, CallBuffer } from './buffers';

/** In the order in which they are measured. */
export const operationNames = Object.keys(operationTitles) as readonly Operation[];

interface Left {
  readonly loss?: CudaTensor;
  readonly grad?: CudaTensor;
}

/** Puts one call into the stream. */
export function put(
  operation: Operation,
  criterion: EqualizedFocalLoss,
  { rows, planes, labels }: CallBuffer,
  stream: CudaStream,
): Left {
  const layout = 'NCHW';
  switch (operation) {
    case 'copy':
      return { grad: rows.grad.copyFrom(rows.logits, { stream }) };
    case 'forward':
      return criterion.forward(rows.logits, labels, { stream });
    case 'forwardBackward':
      return criterion.forwardBackward(rows.logits, labels, { stream, grad: rows.grad });
    case 'inPlace':
      return criterion.forwardBackward(rows.grad, labels, { stream, grad: rows.grad });
    case 'forwardBackwardPlanes':
      return criterion.forwardBackward(planes.logits, labels, {
        ...{ stream, layout, grad: planes.grad },
      });
    case 'collectRows':
      criterion.collectGrad(rows.logits, labels, { stream });
      return {};
    case 'collectPlanes':
      criterion.collectGrad(planes.logits, labels, { stream, layout });
      return {};
  }
}

/** Before every use: what is computed in place starts from the logits each time. */
export function makeReady(operation: Operation, { items }: Buffers, stream: CudaStream): void {
  if (operation !== 'inPlace') return;
  for (const { rows } of items) rows.grad.copyFrom(rows.logits, { stream });
}
