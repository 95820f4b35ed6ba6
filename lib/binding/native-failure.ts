/** What the addon throws, as errors of this package. */
import { EflError, EflOutOfMemoryError } from '../errors';
import { cudaError } from './devices';
import { isShortOfMemory } from './short-of-memory';

/** Runs what the addon does, and throws its error as ours. `what` could not be allocated. */
export function fromNative<T>(body: () => T, what?: string): T {
  try {
    return body();
  } catch (error) {
    throw nativeFailure(error, what);
  }
}

/** Of the CUDA runtime. */
const outOfMemory = 2;

/** What the addon threw, as ours where the machine was the reason. */
export function nativeFailure(error: unknown, what?: string): unknown {
  if (isShortOfMemory(error)) return new EflOutOfMemoryError(what, { cause: error });
  const { code, cudaError: number } = error as { code?: unknown; cudaError?: unknown };
  if (code === 'EFL_NO_THREAD') {
    return new EflError(
      code,
      'The system gives no thread for asynchronous calls: a limit on processes or on memory ' +
        'is reached. Synchronous calls need none',
      { cause: error },
    );
  }
  if (typeof number !== 'number') return error;
  return number === outOfMemory ? new EflOutOfMemoryError(what) : cudaError(number);
}
