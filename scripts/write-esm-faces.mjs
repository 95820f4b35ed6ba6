// The ES module faces of the package and its subpaths: for Node.js the same CommonJS modules, so that
// there is one instance of every class whichever way it is imported; for bundlers the ES modules of
// dist/esm, in which nothing is required. Also says what of the benchmark is not packed, and notes what
// dist/ was made from.
import { chmodSync, copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { typescriptFingerprint } from './fingerprint.mjs';
import { root } from './platform.mjs';

const dist = path.join(root, 'dist');

/** What a compiled module exports, without loading it: its peers need not be here. */
function exportsOf(file) {
  const code = readFileSync(file, 'utf8');
  const own = code.matchAll(/\bexports\.(\w+) = /g);
  const passedOn = code.matchAll(/Object\.defineProperty\(exports, "(\w+)", \{ enumerable: true/g);
  return [...new Set([...own, ...passedOn].map(([, name]) => name))].sort();
}

/** `file` is that of the ES module, which stands beside the CommonJS one. */
function writeShim(file) {
  const name = path.basename(file, '.mjs');
  const exported = exportsOf(file.replace(/\.mjs$/, '.js'));
  const shim = [
    `import commonjs from './${name}.js';`,
    '',
    ...exported.map((each) => `export const ${each} = commonjs.${each};`),
    '',
  ];
  writeFileSync(file, shim.join('\n'));
  writeFileSync(file.replace(/\.mjs$/, '.d.mts'), `export * from './${name}.js';\n`);
}

const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
for (const { import: module } of Object.values(exports)) {
  if (module) writeShim(path.join(root, module.default));
}
// The form of code-folder that ES modules can have.
renameSync(path.join(dist, 'esm', 'code-folder.mjs'), path.join(dist, 'esm', 'code-folder.js'));
// npm reads such a file in each folder that it packs.
copyFileSync(
  path.join(root, 'bench', 'published.npmignore'),
  path.join(dist, 'bench', '.npmignore'),
);
chmodSync(path.join(dist, 'cli', 'main.js'), 0o755);
writeFileSync(path.join(dist, 'sources.sha256'), typescriptFingerprint());
