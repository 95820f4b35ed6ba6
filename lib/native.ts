/**
 * Where the C interface of this package is, for addons and programs that compile against it: see
 * `efl.h` there. Paths only; nothing is loaded.
 */
import path from 'node:path';
import { addonPath } from './binding/load';
import { installedFolder, packageFolder } from './binding/places';
import { codeFolder } from './code-folder';

/**
 * The folder of `efl.h`, for a compiler's `-I`. Absolute. In a bundle that of the installed package;
 * where that is not found, `native/include` beside the bundle.
 */
export const include = path.join(
  packageFolder() ?? installedFolder() ?? codeFolder,
  'native',
  'include',
);

/**
 * The library of this platform, `libefl.so`, `libefl.dylib` or `efl.dll`, to link with and to name in
 * a run path: it is beside the addon that this process uses. On Windows programs are linked with
 * `efl.lib`, which is beside it. Absolute.
 */
export const library = path.join(path.dirname(addonPath()), libraryName());

function libraryName(): string {
  if (process.platform === 'win32') return 'efl.dll';
  return process.platform === 'darwin' ? 'libefl.dylib' : 'libefl.so';
}
