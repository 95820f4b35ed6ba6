import { EflError } from '../errors';
import { deviceFailure } from './devices';

/** Runs what the addon does, and throws its error as ours. `what` could not be allocated. */
export function fromNative<T>(body: () => T, what?: string): T {
  try {
    return body();
  } catch (error) {
    throw nativeFailure(error, what);
  }
}

/** What the addon threw, as ours where the machine was the reason. */
export function nativeFailure(error: unknown, what?: string): unknown {
  const { code } = error as { code?: unknown };
  if (code === 'EFL_NO_THREAD') {
    return new EflError(
      code,
      'The system gives no thread for asynchronous calls: a limit on processes or on memory ' +
        'is reached. Synchronous calls need none',
      { cause: error },
    );
  }
  return deviceFailure(error, what);
}
