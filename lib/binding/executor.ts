import { addon } from './load';
import { fromNative } from './native-failure';
import { EflAbortError, EflDisposedError, EflQueueFullError } from '../errors';
import { Float64Array, Promise } from '../intrinsics';
import { watchAbort } from './cancellation';

/**
 * Throws unless one more call can be submitted now. To be asked before the call takes anything over
 * from its caller.
 */
export function checkReady(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EflAbortError(signal);
  const hasRoom = fromNative(() => addon().hasRoom());
  if (!hasRoom) throw new EflQueueFullError('calls', addon().codes.maxOutstandingCalls);
}

/** Makes room for a call that holds so many bytes; returns what gives it up. */
export function reserve(bytes: number): () => void {
  if (!addon().reserve(bytes)) {
    const [held, limit] = addon().heldBytes();
    throw new EflQueueFullError('bytes', limit, held, bytes);
  }
  return () => {
    addon().release(bytes);
  };
}

/**
 * Hands a call to the addon's executor and waits for its outcome. `submit` gives it to the addon and
 * returns the call's number; it runs before this function returns, so calls queue in call order.
 * Settles when the addon has done with the memory of the call, however it ends.
 */
export async function runAsync(
  what: string,
  signal: AbortSignal | undefined,
  submit: (outcome: Float64Array, done: () => void) => number,
): Promise<Float64Array> {
  const { reportSlots, slot, status } = addon().codes;
  const outcome = new Float64Array(reportSlots);
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  // The signal comes first: one that takes no listener leaves no trace of the call.
  const watch = signal && watchAbort(signal);
  try {
    // Taking the listener, the signal can have run code of the caller.
    if (watch) checkReady(signal);
    const call = submit(outcome, end);
    watch?.cancels(call);
    await ended;
  } finally {
    watch?.end();
  }
  if (outcome[slot.status] === status.cancelled) {
    throw signal?.aborted ? new EflAbortError(signal) : new EflDisposedError(what);
  }
  return outcome;
}
