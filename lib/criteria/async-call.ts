import { maxOutstandingCalls, outcomeSlot, outcomeSlots, status } from '../binding/addon';
import { addon } from '../binding/load';
import { EflAbortError, EflDisposedError, EflQueueFullError } from '../errors';

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
  let abort: (() => void) | undefined;
  await new Promise<void>((resolve) => {
    const call = submit(outcome, resolve);
    // Does nothing to a call that has started: its result is whole, and so is the state.
    abort = () => addon().cancel(call);
    signal?.addEventListener('abort', abort, { once: true });
  });
  if (abort) signal?.removeEventListener('abort', abort);
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
  return new Float32Array(structuredClone(buffer, { transfer: [buffer] }), byteOffset, length);
}

/** Unlike `slice`, never shares memory and never makes an instance of a subclass. */
export function copyOf(values: Float32Array): Float32Array {
  return new Float32Array(values);
}
