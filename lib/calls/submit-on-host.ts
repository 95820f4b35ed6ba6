/** Calls off the event loop, on memory that nobody else can change, move or free while they wait. */
import type { PerLevel, Values } from '../binding/addon';
import { fromNative } from '../binding/native-failure';
import { newElements, newValues } from '../tensors/form';
import { isList } from '../tensors/levels';
import type { BlockUser } from '../tensors/spare-memory';
import {
  bytesOf,
  bytesOfFloat32,
  withCallMemory,
  type Arrays,
  type CallMemory,
} from './call-memory';
import { writeNumbers } from './call-numbers';
import type { CallArrays, CallOwner, CheckedCall } from './checked-call';
import { copyBack } from './copy-back';
import { takenValues } from './owned-values';
import { outputOf, type HostOutput } from './run-on-host';

/** Whose calls may wait for one another. */
export interface WaitingOwner extends CallOwner {
  /** For whom the memory of copies is kept. */
  readonly copies: BlockUser;
  /** Submits a call and waits until it is done; throws what it reports. */
  finish(
    signal: AbortSignal | undefined,
    lists: boolean,
    submit: (outcome: Float64Array, done: () => void) => number,
  ): Promise<Float64Array>;
}

export function submitOnHost(owner: WaitingOwner, call: CheckedCall): Promise<HostOutput> {
  const { arrays, transfer, wantsElements } = call;
  const { values, logits, grad } = arrays;
  // The caller keeps the gradient, so that it cannot be where the copies of the next call go.
  const isNew = call.wantsGradient && !transfer && !grad;
  const more =
    (wantsElements ? bytesOfFloat32(values) : 0) + (transfer || isNew ? bytesOf([values]) : 0);
  return withCallMemory(owner.copies, copiedOf(call), more, async (memory) => {
    owner.native(); // before the logits are taken over
    const elements = wantsElements ? newElements(logits.tensors) : undefined;
    const result = isNew ? newValues(logits.tensors) : undefined;
    const own = ownArrays(call, memory);
    const gradient = call.wantsGradient ? (result ?? own.values) : undefined;
    const outcome = await owner.finish(call.signal, isList(values), (slots, done) =>
      fromNative(() => submit(owner, call, own, [gradient, elements], [slots, done])),
    );
    if (grad) await copyBack(own.values, grad);
    return outputOf(call, outcome, gradient, elements);
  });
}

function submit(
  owner: CallOwner,
  call: CheckedCall,
  own: CallArrays,
  results: readonly [PerLevel<Values> | undefined, PerLevel<Float32Array> | undefined],
  later: readonly [outcome: Float64Array, done: () => void],
): number {
  const { values, labels, gradOutput, quality, targets, geometry } = own;
  writeNumbers(owner, call);
  const native = owner.native();
  return native.submit(
    values,
    labels,
    ...results,
    gradOutput,
    quality,
    targets,
    geometry,
    own.rowWeight,
    own.mask,
    own.classMask,
    ...later,
  );
}

/** What of a call is copied. */
function copiedOf({ arrays, transfer }: CheckedCall): Arrays {
  const { values, labels, targets, quality, gradOutput, rowWeight, mask, classMask } = arrays;
  const beside = [labels, targets, quality, gradOutput, rowWeight, mask, classMask];
  return [...beside, transfer ? undefined : values];
}

function ownArrays({ arrays, transfer }: CheckedCall, memory: CallMemory): CallArrays {
  const { values, labels, targets, quality, gradOutput, rowWeight, mask, classMask } = arrays;
  return {
    ...arrays,
    rowWeight: rowWeight && memory.copy(rowWeight),
    mask: mask && memory.copy(mask),
    classMask: classMask && (memory.copy(classMask) as Uint8Array),
    labels: labels && memory.copy(labels),
    targets: targets && memory.copy(targets),
    quality: quality && memory.copy(quality),
    gradOutput: gradOutput && memory.copy(gradOutput),
    // The last: the others may be views of a buffer that is taken over.
    values: transfer ? takenValues(values) : memory.copy(values),
  };
}
