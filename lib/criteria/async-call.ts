import { maxOutstandingCalls, outcomeSlot, outcomeSlots, status } from '../binding/addon';
import { addon } from '../binding/load';
import { cancelOnAbort } from './cancellation';
import { EflAbortError, EflDisposedError, EflQueueFullError } from '../errors';
import { reject } from '../validation';

/**
 * Throws unless one more call can be submitted now. To be asked before the call takes anything over
 * from its caller.
 */
export function checkReady(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EflAbortError(signal);
  if (!addon().hasRoom()) throw new EflQueueFullError(maxOutstandingCalls);
}

/**
 * Hands a call to the addon's executor and waits for its outcome. `submit` gives it to the addon and
 * returns the call's number; it runs before this function returns, so calls queue in call order.
 */
export async function runAsync(
  what: string,
  signal: AbortSignal | undefined,
  submit: (outcome: Float64Array, done: () => void) => number,
): Promise<Float64Array> {
  const outcome = new Float64Array(outcomeSlots);
  let stopWatching: (() => void) | undefined;
  await new Promise<void>((resolve) => {
    const call = submit(outcome, resolve);
    if (signal) stopWatching = cancelOnAbort(signal, call);
  });
  stopWatching?.();
  if (outcome[outcomeSlot.status] === status.cancelled) {
    throw signal?.aborted ? new EflAbortError(signal) : new EflDisposedError(what);
  }
  return outcome;
}

/** Values that belong to the call alone: a copy, or the caller's own buffer taken over. */
export function ownedValues(values: Float32Array, transfer: boolean): Float32Array {
  if (!transfer) return copyOf(values);
  const { byteOffset, length } = values;
  const buffer = values.buffer as ArrayBuffer;
  try {
    return new Float32Array(structuredClone(buffer, { transfer: [buffer] }), byteOffset, length);
  } catch {
    // Memory that Node.js lends out, the pool of small buffers for example, cannot change hands.
    return reject('transfer', 'false for memory that cannot be transferred', true);
  }
}

/** Unlike `slice`, never shares memory and never makes an instance of a subclass. */
export function copyOf(values: Float32Array): Float32Array {
  return new Float32Array(values);
}
