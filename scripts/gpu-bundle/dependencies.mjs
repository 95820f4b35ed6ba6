// Installed packages with all that they need, as the lock file has them.
import { cpSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../platform.mjs';

/** Folders of node_modules, relative to the repository. */
export function packagesWithDependencies(names) {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const found = new Set();
  const visit = (name, from, optional) => {
    const place = resolve(packages, name, from);
    // A binding for another platform, or a peer that nobody asked for.
    if (place === undefined || !existsSync(path.join(root, place))) {
      if (optional) return;
      throw new Error(`${name} is not installed: npm ci`);
    }
    if (found.has(place)) return;
    found.add(place);
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = packages[place];
    // Types are of no use to what runs.
    const needed = Object.keys(dependencies).filter((one) => !one.startsWith('@types/'));
    for (const one of needed) visit(one, place, false);
    for (const one of Object.keys(optionalDependencies)) visit(one, place, true);
    for (const one of Object.keys(peerDependencies)) {
      if (!['typescript', 'ts-node'].includes(one)) visit(one, place, true);
    }
  };
  for (const name of names) visit(name, '', false);
  return [...found].sort();
}

/** As Node.js looks for it: beside the package, then further up. */
function resolve(packages, name, from) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (place in packages) return place;
    if (folder === '') return undefined;
  }
}

export function copyPackages(names, target) {
  for (const place of packagesWithDependencies(names)) {
    const from = path.join(root, place);
    // Nested packages are in the list where they are needed.
    const filter = (file) =>
      !path.relative(from, file).split(path.sep).includes('node_modules') &&
      !/\.(map|d\.[mc]?ts)$/.test(file);
    cpSync(from, path.join(target, place), { recursive: true, filter });
  }
}
