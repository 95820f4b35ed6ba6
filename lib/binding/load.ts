import { existsSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { EflArgumentError } from '../errors';
import { version } from '../version';
import type { NativeAddon } from './addon';
import { codes } from './codes';
import { isNodeSupported, loadFailure } from './load-failure';
import { binaryPlaces, findBinary } from './places';
import { currentPlatform } from './platform';
import { readSettings } from './settings';

let loaded: NativeAddon | undefined;

/** The addon, loaded on first use. Throws {@link EflLoadError}. */
export function addon(): NativeAddon {
  loaded ??= inJavaScript(configure(load(addonPath())));
  return loaded;
}

/** The one file the loader takes: `EFL_BINARY`, or the staged build of this platform. */
export function addonPath(): string {
  const explicit = process.env['EFL_BINARY'];
  return explicit ? path.resolve(explicit) : findBinary();
}

function load(file: string): NativeAddon {
  checkPlatform();
  if (!existsSync(file)) {
    const places = process.env['EFL_BINARY'] ? [file] : binaryPlaces();
    const attempts = places.map((place) => ({ path: place, problem: 'no such file' }));
    throw loadFailure('binary-missing', attempts);
  }
  if (path.extname(file) !== '.node') {
    throw loadFailure('dlopen-failed', [{ path: file, problem: 'not a .node file' }]);
  }
  const native = open(file);
  // While a version is being made a binary of it may be an older one.
  if (native.version !== version || typeof native.codes !== 'object') {
    const problem =
      native.version === version
        ? 'the binary is of an older build'
        : `JS ${version}, binary ${native.version}`;
    throw loadFailure('version-mismatch', [{ path: file, problem }]);
  }
  return native;
}

function checkPlatform(): void {
  if (!process.env['EFL_BINARY'] && !currentPlatform().supported) {
    throw loadFailure('unsupported-platform', []);
  }
  if (!isNodeSupported()) throw loadFailure('node-too-old', []);
}

function open(file: string): NativeAddon {
  try {
    // Not `require`, which ES modules have not; nor by `import { createRequire }`: webpack takes both
    // for its own and looks for the file while it bundles.
    return Module.createRequire(file)(file) as NativeAddon;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const disabled = (error as { code?: string }).code === 'ERR_DLOPEN_DISABLED';
    const attempt = { path: file, problem: problem.replace(`${file}: `, '') };
    throw loadFailure(disabled ? 'addons-disabled' : 'dlopen-failed', [attempt], error);
  }
}

function configure(native: NativeAddon): NativeAddon {
  const { threads, cpuKernels, queueBytes } = readSettings(native);
  if (!native.configure(threads, cpuKernels, queueBytes)) {
    throw new EflArgumentError(
      'EFL_CPU_ISA',
      'kernels that this machine can run: avx512, avx2, baseline or scalar',
      `'${cpuKernels ?? ''}'`,
    );
  }
  return native;
}

/** The same as objects of JavaScript, whose properties are quicker to read than those of native code. */
function inJavaScript(native: NativeAddon): NativeAddon {
  Object.assign(codes, JSON.parse(JSON.stringify(native.codes)));
  return { ...native, codes };
}
