import { EflLoadError, type LoadAttempt, type LoadFailure } from '../errors';
import { packageName } from '../version';
import { currentPlatform, describePlatform } from './platform';

/** Node-API version the addon is compiled for: an older Node.js would crash on it. */
export const neededNodeApi = 8;

/** First the fact, then what each file said, then what to do about it. */
export function loadFailure(
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
  const build = `build here: npx ${packageName} build`;
  const named = process.env['EFL_BINARY']
    ? ['EFL_BINARY names this file: correct it or unset it']
    : undefined;
  switch (reason) {
    case 'unsupported-platform':
      return ['this platform is not supported; a build of your own can be named with EFL_BINARY'];
    case 'node-too-old':
      return [`use Node.js 20.17 or newer (it needs Node-API ${neededNodeApi})`];
    case 'binary-missing':
      return named ?? [`${build} (in a checkout of the package: npm run build)`];
    case 'version-mismatch':
      return named ?? [`delete prebuilds/ or ${build} (in a checkout: npm run build)`];
    case 'addons-disabled':
      return [
        'native addons are switched off: start Node.js without --no-addons, or with --allow-addons',
      ];
    case 'dlopen-failed':
      return [...dlopenRemedies(attempts[0]?.problem ?? '', build), ...(named ?? [])];
  }
}

/** Advice that fits what the dynamic loader said. */
function dlopenRemedies(problem: string, build: string): string[] {
  const glibc = /GLIBC_([0-9.]+)' not found/.exec(problem)?.[1];
  if (glibc) {
    const here = currentPlatform().libc?.replace(/^glibc/, 'glibc is') ?? 'C library is unknown';
    return [
      `this system's ${here}, the binary needs ${glibc}: use a newer base image, or ${build}`,
    ];
  }
  if (/GLIBCXX|CXXABI|libstdc\+\+/.test(problem)) {
    return [`install the C++ runtime (libstdc++6), or ${build}`];
  }
  if (
    /invalid ELF header|file too short|wrong architecture|mach-o|not a \.node file/i.test(problem)
  ) {
    return [`the file is damaged or for another platform: reinstall the package, or ${build}`];
  }
  return [`reinstall the package, or ${build}`];
}
