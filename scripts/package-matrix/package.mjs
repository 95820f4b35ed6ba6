// The package that is checked.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../platform.mjs';

export { root };

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
export const packageName = manifest.name;

/** The oldest Node.js that it takes. */
export const oldestNode = manifest.engines.node.replace('>=', '');

/** Each subpath with code: '', '/tfjs', '/native'. */
export const subpaths = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => subpath.slice(1));
