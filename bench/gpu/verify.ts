/** Equal results first: what is timed afterwards computes what it should. */
import type { CudaStream, CudaTensor } from '../..';
import {
  checkedRows,
  errorsOf,
  requireEqual,
  worseOf,
  worst,
  type Parts,
} from '../measure/accuracy';
import { operationTitles } from '../report/gpu-tables';
import type { Errors, Operation } from '../report/report';
import { newCriterion, statesOf } from '../workload/criterion';
import { valuesOf, type Bits, type LogitType } from '../workload/half';
import { solveInFloat64 } from '../workload/reference';
import { Buffers, rowsOfTensor } from './buffers';
import { makeReady, put } from './operations';
import { asPlanes, gpuRowsOf, rowsOfPlanes, sumsOf, type GpuProblem, type Maps } from './problem';

function valuesOfTensor(tensor: CudaTensor): Float32Array {
  return valuesOf(tensor.toHost().data as Bits, tensor.dtype as LogitType);
}

/** Errors of an operation on the first rows of a problem. Throws where they are too large. */
export function checkOperation(
  operation: Operation,
  problem: GpuProblem,
  stream: CudaStream,
): Errors {
  const sample = gpuRowsOf(problem, 0, checkedRows(problem));
  using buffers = new Buffers(sample, 1, stream);
  using criterion = newCriterion(sample.classes, 'auto');
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
  return requireEqual(operationTitles[operation], errors, sample.type);
}

function compare(
  operation: Operation,
  results: Parts & { readonly gradient?: Float32Array },
  sample: GpuProblem,
  maps: Maps,
): Errors {
  const { type, classes } = sample;
  switch (operation) {
    case 'copy': {
      const gradient = worst(results.gradient!, sample.logits);
      return { loss: null, gradient, statistics: null };
    }
    case 'forward':
    case 'forwardBackward':
    case 'inPlace':
      return errorsOf(results, solveInFloat64(sample), type);
    case 'forwardBackwardPlanes': {
      const gradient = rowsOfPlanes(results.gradient!, classes, maps);
      return errorsOf({ ...results, gradient }, solveInFloat64(asPlanes(sample, maps)), type);
    }
    case 'collectRows':
      return errorsOf(results, sumsOf(sample), type);
    case 'collectPlanes':
      return errorsOf(results, sumsOf(asPlanes(sample, maps)), type);
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
): Errors {
  const { rows, classes, bits, labels, type } = problem;
  const { fresh } = statesOf(problem);
  using onDevice = newCriterion(classes, 'auto');
  using onHost = newCriterion(classes, 'cpu');
  for (const criterion of [onDevice, onHost]) criterion.loadStateDict(fresh);
  const { loss } = put('forwardBackward', onDevice, buffer!, stream);
  const tensor = { data: bits, shape: [rows, classes], dtype: type };
  const expected = onHost.forwardBackward(tensor, labels);
  const sums = { loss: loss!.item(), ...onDevice.statistics };
  const ofSums = errorsOf(sums, { loss: expected.loss, ...onHost.statistics }, type);
  stream.synchronize();
  const count = checkedRows(problem);
  const ofEdges = [0, rows - count].map((first) => {
    const gradient = valuesOfTensor(rowsOfTensor(buffer!.rows.grad, first, count));
    return errorsOf({ gradient }, solveInFloat64(gpuRowsOf(problem, first, count)), type);
  });
  return requireEqual('forwardBackward of the whole', ofEdges.reduce(worseOf, ofSums), type);
}
