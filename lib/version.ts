import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The package's folder: lib/ and dist/ are both one level below it. */
export const packageRoot = path.resolve(__dirname, '..');

const manifest = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
};

export const packageName = manifest.name;

/** The version of this package, as in its package.json. */
export const version = manifest.version;
