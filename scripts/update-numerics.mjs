// Computes the tables of docs/numerics.md anew. Bounds are those of all sets of kernels, so they are
// written only where all of them work: on x86-64 with AVX-512.
//
//   node scripts/update-numerics.mjs            writes them
//   node scripts/update-numerics.mjs --check    only says whether the document would change
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from './platform.mjs';

const require = createRequire(import.meta.url);
require('ts-node').register({ project: path.join(root, 'tsconfig.json'), transpileOnly: true });
const { markdownTable } = require(path.join(root, 'bench', 'report', 'markdown-table.ts'));
const ofNumerics = (name) => require(path.join(root, 'test', 'numerics', `${name}.ts`));
const { DOCUMENT, fillBlocks, readDocument } = ofNumerics('document');
const { allKernelsWork } = ofNumerics('kernels');
const { buildTable } = ofNumerics('tables');

if (!allKernelsWork()) {
  console.error('The bounds need a machine that can run every set of kernels.');
  process.exit(2);
}

const text = readDocument();
const updated = fillBlocks(text, (name) => markdownTable(buildTable(name)));
const document = path.relative(root, DOCUMENT);
if (updated === text) {
  console.log(`${document} is up to date`);
} else if (process.argv.includes('--check')) {
  console.error(`${document} is out of date: node scripts/update-numerics.mjs`);
  process.exitCode = 1;
} else {
  writeFileSync(DOCUMENT, updated);
  console.log(`${document} has new figures`);
}
