import { EqualizedFocalLoss, type CudaStream, type CudaTensor, type Device } from '../..';
import { alpha, baseGamma, scaleFactor } from '../workload';
import type { Buffers, CallBuffer } from './buffers';
import type { Operation } from './report';

/** Titles, in the order in which they are measured. */
export const operations: Readonly<Record<Operation, string>> = {
  copy: 'copy of the logits',
  forward: 'forward',
  forwardBackward: 'forwardBackward',
  inPlace: 'forwardBackward, in place',
  forwardBackwardPlanes: 'forwardBackward, NCHW',
  collectRows: 'collectGrad',
  collectPlanes: 'collectGrad, NCHW',
};

export const operationNames = Object.keys(operations) as readonly Operation[];

export function newCriterion(numClasses: number, device: Device = 'auto'): EqualizedFocalLoss {
  return new EqualizedFocalLoss({ numClasses, gamma: baseGamma, alpha, scaleFactor, device });
}

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
