/**
 * Where the C interface of this package is, for addons and programs that compile against it: see
 * `efl.h` there. Paths only; nothing is loaded.
 */
import path from 'node:path';
import { addonPath } from './binding/load';
import { packageRoot } from './version';

/** The folder of `efl.h`, for a compiler's `-I`. Absolute. */
export const include = path.join(packageRoot, 'native', 'include');

/**
 * The library of this platform, `libefl.so` or `libefl.dylib`, to link with and to name in a run
 * path: it is beside the addon that this process uses. Absolute.
 */
export const library = path.join(
  path.dirname(addonPath()),
  process.platform === 'darwin' ? 'libefl.dylib' : 'libefl.so',
);
