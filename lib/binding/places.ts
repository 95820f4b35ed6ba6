/** Where the files are that are no code: the addon, the library for GPUs, the headers. */
import { existsSync, readFileSync } from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { codeFolder } from '../code-folder';
import { cudaPackageName, packageName } from '../version';
import { currentPlatform } from './platform';

/** `efl.node` of this platform, below a folder that has a copy of this package's prebuilds/. */
function binaryBelow(folder: string): string {
  return path.join(folder, 'prebuilds', currentPlatform().tuple, 'efl.node');
}

/** The folder of this package, unless the code was bundled into another program. */
export function packageFolder(): string | undefined {
  // lib/ and dist/ are one level below it, dist/esm/ two.
  const above = [path.dirname(codeFolder), path.dirname(path.dirname(codeFolder))];
  return above.find((folder) => nameOf(path.join(folder, 'package.json')) === packageName);
}

function nameOf(manifest: string): unknown {
  try {
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}

/** The folder of this package as installed for the program that this code was bundled into. */
export function installedFolder(): string | undefined {
  return folderOf(packageName);
}

function folderOf(name: string): string | undefined {
  try {
    // Node.js looks in the node_modules of every folder above, and links are followed.
    const { resolve } = Module.createRequire(path.join(codeFolder, 'bundle.js'));
    return path.dirname(resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/**
 * Every place the addon may be, in the order in which they are looked at. In the package itself there
 * is one. Beside a bundle it is by itself or in a copy of prebuilds/, which may be one level up, since
 * bundlers put chunks into folders; and where nothing was copied it is in the installed package.
 */
export function binaryPlaces(): string[] {
  const own = packageFolder();
  if (own !== undefined) return [binaryBelow(own)];
  const installed = installedFolder() ?? path.join(codeFolder, 'node_modules', packageName);
  return [
    path.join(codeFolder, 'efl.node'),
    binaryBelow(codeFolder),
    binaryBelow(path.dirname(codeFolder)),
    binaryBelow(installed),
  ];
}

/** The first place with a file; where there is none, the first. */
export function findBinary(): string {
  const places = binaryPlaces();
  return places.find((file) => existsSync(file)) ?? places[0]!;
}

/** Every place the library for GPUs may be: beside the addon, where a bundle has it, or in its package. */
export function deviceLibraryPlaces(addonPath: string): string[] {
  const name = 'libefl_cuda.so';
  const beside = path.join(path.dirname(addonPath), name);
  const installed = folderOf(cudaPackageName);
  if (installed === undefined) return [beside];
  return [beside, path.join(installed, 'prebuilds', currentPlatform().tuple, name)];
}
