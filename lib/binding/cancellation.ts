import { reject } from '../validation';
import { addon } from './load';

interface Waiting {
  readonly calls: Set<number>;
  readonly listener: () => void;
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/** One call's watch over its signal. */
export interface AbortWatch {
  /** Names the call, once it has been submitted. */
  cancels(call: number): void;
  /** Never throws: by then the call has its result, or its error. */
  end(): void;
}

/**
 * Cancels a submitted call when its signal is aborted, unless it has started: its result is whole
 * then, and so is the state. All calls of a signal share one listener, because Node.js takes many
 * listeners for a leak.
 */
export function watchAbort(signal: AbortSignal): AbortWatch {
  const { calls, listener } = waiting.get(signal) ?? listenTo(signal);
  let watched: number | undefined;
  return {
    cancels(call) {
      watched = call;
      calls.add(call);
    },
    end() {
      if (watched !== undefined) calls.delete(watched);
      if (calls.size > 0) return;
      waiting.delete(signal);
      try {
        signal.removeEventListener('abort', listener);
      } catch {
        // A signal of somebody's own making; its listener has nothing left to cancel.
      }
    },
  };
}

function listenTo(signal: AbortSignal): Waiting {
  const calls = new Set<number>();
  const listener = (): void => {
    for (const call of calls) addon().cancel(call);
  };
  signal.addEventListener('abort', listener, { once: true });
  const watched = { calls, listener };
  waiting.set(signal, watched);
  return watched;
}

export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal !== undefined && !isAbortSignal(signal)) reject('signal', 'an AbortSignal', signal);
  return signal;
}

/** By what is used of one: there are implementations of the web's beside that of Node.js. */
function isAbortSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('aborted' in value)) return false;
  const { addEventListener, removeEventListener } = value as Partial<AbortSignal>;
  return typeof addEventListener === 'function' && typeof removeEventListener === 'function';
}
