/** Equal results first: what is timed afterwards computes what it should. */
import type { CudaStream, CudaTensor } from '../..';
import { worst } from '../reference';
import { statesOf } from '../states';
import { errorsOf, noErrors, requireEqual, worseOf } from './accuracy';
import { Buffers, rowsOfTensor } from './buffers';
import { valuesOf } from './half';
import { makeReady, newCriterion, operations, put } from './operations';
import { asPlanes, expectedOf, rowsOf, rowsOfPlanes, sumsOf, type GpuProblem } from './problem';
import type { GpuErrors, GpuType, Operation } from './report';

/** Enough to see a mistake; the reference is slow. */
const checkedLogits = 100_000;

export function checkedRows({ rows, classes }: { rows: number; classes: number }): number {
  return Math.max(1, Math.min(rows, Math.floor(checkedLogits / classes)));
}

function valuesOfTensor(tensor: CudaTensor): Float32Array {
  return valuesOf(tensor.toHost().data as Float32Array | Uint16Array, tensor.dtype as GpuType);
}

/** Errors of an operation on the first rows of a problem. Throws where they are too large. */
export function checkOperation(
  operation: Operation,
  problem: GpuProblem,
  stream: CudaStream,
): GpuErrors {
  const sample = rowsOf(problem, 0, checkedRows(problem));
  const buffers = new Buffers(sample, 1, stream);
  const criterion = newCriterion(sample.classes);
  try {
    criterion.loadStateDict(statesOf(sample).fresh);
    makeReady(operation, buffers, stream);
    const [buffer] = buffers.items;
    const { loss, grad } = put(operation, criterion, buffer!, stream);
    const results = {
      ...(loss && { loss: loss.item() }),
      ...(grad && { gradient: valuesOfTensor(grad) }),
      ...(operation !== 'copy' && operation !== 'forward' && criterion.statistics),
    };
    const errors = compare(operation, results, sample, buffer!.maps);
    return requireEqual(operations[operation], errors, sample.type);
  } finally {
    criterion.dispose();
    buffers.dispose();
  }
}

type Results = Parameters<typeof errorsOf>[0];

function compare(
  operation: Operation,
  results: Results,
  sample: GpuProblem,
  maps: Parameters<typeof asPlanes>[1],
): GpuErrors {
  const { type, classes } = sample;
  switch (operation) {
    case 'copy':
      return { ...noErrors, gradient: worst(results.gradient!, sample.logits) };
    case 'forward':
    case 'forwardBackward':
    case 'inPlace':
      return errorsOf(results, expectedOf(sample), type);
    case 'forwardBackwardPlanes': {
      const gradient = rowsOfPlanes(results.gradient!, classes, maps);
      return errorsOf({ ...results, gradient }, expectedOf(asPlanes(sample, maps)), type);
    }
    case 'collectRows':
      return errorsOf(results, { ...sumsOf(sample), loss: 0, gradient: [] }, type);
    case 'collectPlanes': {
      const sums = sumsOf(asPlanes(sample, maps));
      return errorsOf(results, { ...sums, loss: 0, gradient: [] }, type);
    }
  }
}

/**
 * Errors of `forwardBackward` on the whole problem: gradients of its first and last rows against
 * float64, loss and statistics against the CPU backend, which sums in float64.
 */
export function checkWhole(
  problem: GpuProblem,
  { items: [buffer] }: Buffers,
  stream: CudaStream,
): GpuErrors {
  const { rows, classes, bits, labels, type } = problem;
  const { fresh } = statesOf(problem);
  const onDevice = newCriterion(classes);
  const onHost = newCriterion(classes, 'cpu');
  try {
    for (const criterion of [onDevice, onHost]) criterion.loadStateDict(fresh);
    const { loss } = put('forwardBackward', onDevice, buffer!, stream);
    const tensor = { data: bits, shape: [rows, classes], dtype: type };
    const expected = onHost.forwardBackward(tensor, labels);
    const sums = { loss: loss!.item(), ...onDevice.statistics };
    const right = { loss: expected.loss, ...onHost.statistics, gradient: [] };
    const ofSums = errorsOf(sums, right, type);
    stream.synchronize();
    const count = checkedRows(problem);
    const ofEdges = [0, rows - count].map((first) => {
      const gradient = valuesOfTensor(rowsOfTensor(buffer!.rows.grad, first, count));
      return errorsOf({ gradient }, expectedOf(rowsOf(problem, first, count)), type);
    });
    const errors = ofEdges.reduce(worseOf, ofSums);
    return requireEqual('forwardBackward of the whole', errors, type);
  } finally {
    onDevice.dispose();
    onHost.dispose();
  }
}
