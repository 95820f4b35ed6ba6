import { existsSync } from 'node:fs';
import path from 'node:path';
import { EflArgumentError, EflLoadError, type LoadAttempt, type LoadFailure } from '../errors';
import { packageName, packageRoot, version } from '../version';
import { expectedAbi, type NativeAddon } from './addon';
import { currentPlatform, describePlatform } from './platform';
import { readSettings } from './settings';

/** Node-API version the addon is compiled for: an older Node.js would crash on it. */
const neededNodeApi = 8;

let loaded: NativeAddon | undefined;

/** The addon, loaded on first use. Throws {@link EflLoadError}. */
export function addon(): NativeAddon {
  loaded ??= configure(load(addonPath()));
  return loaded;
}

/** The one file the loader takes: `EFL_BINARY`, or the staged build of this platform. */
export function addonPath(): string {
  const explicit = process.env['EFL_BINARY'];
  if (explicit) return path.resolve(explicit);
  return path.join(packageRoot, 'prebuilds', currentPlatform().tuple, 'efl.node');
}

function load(file: string): NativeAddon {
  checkPlatform();
  if (!existsSync(file)) {
    throw failure('binary-missing', [{ path: file, problem: 'no such file' }]);
  }
  const native = open(file);
  if (native.version !== version || native.abi !== expectedAbi) {
    const problem =
      native.version === version
        ? `JS expects ABI ${expectedAbi}, binary has ${native.abi}`
        : `JS ${version}, binary ${native.version}`;
    throw failure('version-mismatch', [{ path: file, problem }]);
  }
  return native;
}

function checkPlatform(): void {
  if (!process.env['EFL_BINARY'] && !currentPlatform().supported) {
    throw failure('unsupported-platform', []);
  }
  if (Number(process.versions['napi'] ?? 0) < neededNodeApi) throw failure('node-too-old', []);
}

function open(file: string): NativeAddon {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the path is known only now
    return require(file) as NativeAddon;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const disabled = (error as { code?: string }).code === 'ERR_DLOPEN_DISABLED';
    const attempt = { path: file, problem: problem.replace(`${file}: `, '') };
    throw failure(disabled ? 'addons-disabled' : 'dlopen-failed', [attempt], error);
  }
}

function configure(native: NativeAddon): NativeAddon {
  const { threads, cpuKernels } = readSettings();
  if (!native.configure(threads, cpuKernels)) {
    throw new EflArgumentError(
      'EFL_CPU_ISA',
      'kernels that this machine can run: avx512, avx2 or baseline',
      `'${cpuKernels ?? ''}'`,
    );
  }
  return native;
}

/** First the fact, then what each file said, then what to do about it. */
function failure(
  reason: LoadFailure,
  attempts: readonly LoadAttempt[],
  cause?: unknown,
): EflLoadError {
  const lines = [
    `Could not load the native addon for ${describePlatform()}.`,
    ...attempts.map(({ path: file, problem }) => `  tried  ${file}: ${problem}`),
    'What to do:',
    ...remedies(reason, attempts).map((remedy) => `  - ${remedy}`),
    `Details: npx ${packageName} doctor`,
  ];
  return new EflLoadError(reason, lines.join('\n'), attempts, cause ? { cause } : undefined);
}

function remedies(reason: LoadFailure, attempts: readonly LoadAttempt[]): string[] {
  const build = `npx ${packageName} build`;
  switch (reason) {
    case 'unsupported-platform':
      return [`this platform is not supported; a build of your own can be named with EFL_BINARY`];
    case 'node-too-old':
      return [`use Node.js 20.17 or newer (it needs Node-API ${neededNodeApi})`];
    case 'binary-missing':
      return process.env['EFL_BINARY']
        ? ['EFL_BINARY names this file: correct it or unset it']
        : [`build it here: ${build} (in a checkout of the package: npm run build)`];
    case 'version-mismatch':
      return [`delete prebuilds/ and rebuild: ${build} (in a checkout: npm run build)`];
    case 'addons-disabled':
      return ['native addons are switched off: start Node.js without --no-addons, or with --allow-addons'];
    case 'dlopen-failed':
      return dlopenRemedies(attempts[0]?.problem ?? '', build);
  }
}

/** Advice that fits what the dynamic loader said. */
function dlopenRemedies(problem: string, build: string): string[] {
  const glibc = /GLIBC_([0-9.]+)' not found/.exec(problem)?.[1];
  if (glibc) {
    const here = currentPlatform().libc ?? 'C library';
    return [
      `this system's ${here} is too old, the binary needs glibc ${glibc}: use a newer base image, or build here: ${build}`,
    ];
  }
  if (/GLIBCXX|CXXABI|libstdc\+\+/.test(problem)) {
    return [`install the C++ runtime (libstdc++6), or build here: ${build}`];
  }
  if (/invalid ELF header|file too short|wrong architecture|mach-o/i.test(problem)) {
    return [`the file is damaged or for another platform: reinstall the package, or build here: ${build}`];
  }
  return [`reinstall the package, or build here: ${build}`];
}
