/** What the addon throws, as errors of this package. */
import { EflArgumentError, EflError, EflOutOfMemoryError } from '../errors';
import { describe } from '../validation';
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

/** What the addon gives its errors. */
interface Thrown {
  readonly code: unknown;
  readonly cudaError: unknown;
  /** Of a value that native/core refuses. */
  readonly argument: string;
  readonly expected: string;
  readonly received: number | undefined;
}

/** Of the CUDA runtime. */
const outOfMemory = 2;

/** What the addon threw, as ours where the machine was the reason. */
export function nativeFailure(error: unknown, what?: string): unknown {
  if (error instanceof EflError) return error; // ours already
  if (isShortOfMemory(error)) return new EflOutOfMemoryError(what, { cause: error });
  const { code, cudaError: number, expected, argument, received } = error as Partial<Thrown>;
  if (expected !== undefined && argument !== undefined) {
    return new EflArgumentError(argument, expected, describe(received));
  }
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
