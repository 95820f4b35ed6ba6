import { addon } from '../binding/load';

interface Waiting {
  readonly calls: Set<number>;
  readonly listener: () => void;
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/**
 * Cancels a submitted call when its signal is aborted, unless it has started: its result is whole
 * then, and so is the state. All calls of a signal share one listener, because Node.js takes many
 * listeners for a leak. Returns what ends the watch.
 */
export function cancelOnAbort(signal: AbortSignal, call: number): () => void {
  const { calls, listener } = waiting.get(signal) ?? watch(signal);
  calls.add(call);
  return () => {
    calls.delete(call);
    if (calls.size > 0) return;
    signal.removeEventListener('abort', listener);
    waiting.delete(signal);
  };
}

function watch(signal: AbortSignal): Waiting {
  const calls = new Set<number>();
  const listener = (): void => {
    for (const call of calls) addon().cancel(call);
  };
  signal.addEventListener('abort', listener, { once: true });
  const watched = { calls, listener };
  waiting.set(signal, watched);
  return watched;
}
