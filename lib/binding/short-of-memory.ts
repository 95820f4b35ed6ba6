/** How the runtime and the addon say that there is no memory. */
import { types } from 'node:util';

/** Texts of the C++ standard libraries, and of V8 for an array's memory. */
const shortOfMemory =
  /^(std::)?bad[ _](alloc|array_new_length|allocation)|allocation failed|^Invalid (typed )?array length/;

export function isShortOfMemory(error: unknown): boolean {
  return types.isNativeError(error) && shortOfMemory.test(error.message);
}
