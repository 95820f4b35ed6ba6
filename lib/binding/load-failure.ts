import path from 'node:path';
import { codeFolder } from '../code-folder';
import { EflLoadError, type LoadAttempt, type LoadFailure } from '../errors';
import { packageName, version } from '../version';
import { packageFolder } from './places';
import { describeLibc, describePlatform } from './platform';

/** Node-API version the addon is compiled for: an older Node.js would crash on it. */
const neededNodeApi = 8;

/** The oldest Node.js that is tested, as in `engines` of package.json. */
export const neededNode = '20.17';

export function isNodeSupported(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = neededNode.split('.').map(Number);
  const hasNodeApi = Number(process.versions['napi'] ?? 0) >= neededNodeApi;
  return hasNodeApi && (major > leastMajor || (major === leastMajor && minor >= leastMinor));
}

/** First the fact, then what each file said, then what to do about it. */
export function loadFailure(
  reason: LoadFailure,
  attempts: readonly LoadAttempt[],
  cause?: unknown,
): EflLoadError {
  const isBundled = packageFolder() === undefined;
  const lines = [
    `Could not load the native addon for ${describePlatform()}.`,
    ...attempts.map(({ path: file, problem }) => `  tried  ${file}: ${problem}`),
    'What to do:',
    ...remedies(reason, attempts, isBundled).map((remedy) => `  - ${remedy}`),
    `Details: ${isBundled ? `docs/bundling.md of ${packageName}` : `npx ${packageName} doctor`}`,
  ];
  return new EflLoadError(reason, lines.join('\n'), attempts, cause ? { cause } : undefined);
}

function remedies(
  reason: LoadFailure,
  attempts: readonly LoadAttempt[],
  isBundled: boolean,
): string[] {
  const build = isBundled
    ? `build where the package is installed (npx ${packageName} build) and copy its prebuilds/ again`
    : `build here: npx ${packageName} build`;
  const named = process.env['EFL_BINARY']
    ? ['EFL_BINARY names this file: correct it or unset it']
    : undefined;
  switch (reason) {
    case 'unsupported-platform':
      return ['this platform is not supported; a build of your own can be named with EFL_BINARY'];
    case 'node-too-old':
      return [`use Node.js ${neededNode} or newer, with Node-API ${neededNodeApi}`];
    case 'binary-missing':
      return (
        named ??
        (isBundled
          ? missingFromBundle()
          : [`${build} (in a checkout of the package: npm run build)`])
      );
    case 'version-mismatch':
      return (
        named ??
        (isBundled
          ? [copyAgain()]
          : [`delete prebuilds/ or ${build} (in a checkout: npm run build)`])
      );
    case 'addons-disabled':
      return [
        'native addons are switched off: start Node.js without --no-addons, or with --allow-addons',
      ];
    case 'dlopen-failed':
      return [...dlopenRemedies(attempts[0]?.problem ?? '', build), ...(named ?? [])];
  }
}

/** The code was bundled, and the files that are no code stayed behind. */
function missingFromBundle(): string[] {
  return [
    `copy node_modules/${packageName}/prebuilds to ${path.join(codeFolder, 'prebuilds')}`,
    'or name its efl.node with EFL_BINARY',
    `or leave ${packageName} out of the bundle (external) and install it beside the bundle`,
  ];
}

function copyAgain(): string {
  return `bundle and copy prebuilds/ from one version of ${packageName}: this code is of ${version}`;
}

/** Advice that fits what the dynamic loader said. */
function dlopenRemedies(problem: string, build: string): string[] {
  const glibc = /GLIBC_([0-9.]+)' not found/.exec(problem)?.[1];
  if (glibc) {
    const here = describeLibc()?.replace(/^glibc/, 'glibc is') ?? 'C library is unknown';
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
