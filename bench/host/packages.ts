/** Packages that are compared with or used for display: none of them comes with this package. */
import { createRequire } from 'node:module';
import path from 'node:path';

/** The folder of equalized-focal-loss: `../..` is its entry from bench/host as from dist/bench/host. */
export const packageRoot = path.dirname(path.dirname(require.resolve('../..')));

/** The benchmark's own installed packages, then those of the folder the user is in. */
const places = [path.join(packageRoot, 'bench'), process.cwd()];

/** Where a package is, or undefined. */
export function find(name: string): string | undefined {
  for (const place of places) {
    try {
      return createRequire(path.join(place, 'package.json')).resolve(name);
    } catch {
      // the next place, then
    }
  }
  return undefined;
}

/**
 * The folder TensorFlow.js is installed in, for NODE_PATH: this package's adapter for it looks for its
 * peer from dist/, which is elsewhere.
 */
export function peerFolder(): string | undefined {
  const file = find('@tensorflow/tfjs-core');
  return file === undefined ? undefined : path.resolve(file, '..', '..', '..', '..');
}

/** Loads a package. What it is, the caller knows: nothing here is compiled against it. */
export function load(name: string): unknown {
  const file = find(name);
  if (file === undefined) throw new Error(notInstalled(name));
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- found at run time or not at all
  return require(file);
}

export function notInstalled(...names: readonly string[]): string {
  const verb = names.length === 1 ? 'is' : 'are';
  return `${names.join(' and ')} ${verb} not installed (npm install ${names.join(' ')})`;
}

/** For `Contender.missing`. */
export function missing(...names: readonly string[]): string | undefined {
  const absent = names.filter((name) => find(name) === undefined);
  return absent.length === 0 ? undefined : notInstalled(...absent);
}

/** The version of an installed package, from the package.json above its entry. */
export function versionOf(name: string): string | null {
  for (let folder = path.dirname(find(name) ?? ''); folder !== path.dirname(folder);) {
    const manifest = readManifest(path.join(folder, 'package.json'));
    if (manifest?.name === name) return manifest.version ?? null;
    folder = path.dirname(folder);
  }
  return null;
}

function readManifest(file: string): { name?: string; version?: string } | undefined {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a file in JSON
    return require(file) as { name?: string; version?: string };
  } catch {
    return undefined;
  }
}
