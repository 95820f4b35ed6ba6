/** What the runtime and the addon throw where memory is short, as an error of this package. */
import { types } from 'node:util';
import { EflOutOfMemoryError } from '../errors';

/** Texts of the C++ standard libraries, and of V8 for an array's memory. */
const shortOfMemory = /^(std::)?bad[ _](alloc|array_new_length|allocation)|allocation failed/;

export function isShortOfMemory(error: unknown): boolean {
  return types.isNativeError(error) && shortOfMemory.test(error.message);
}

/** What `make` makes. `what` could not be allocated where there is no memory for it. */
export function allocated<T>(make: () => T, what = 'The result'): T {
  try {
    return make();
  } catch (error) {
    throw isShortOfMemory(error) ? new EflOutOfMemoryError(what) : error;
  }
}
