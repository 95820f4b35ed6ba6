// The ES module face of the package: the same CommonJS module, so that there is one instance of
// every class whichever way it is imported. Also notes what dist/ was made from.
import { chmodSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { typescriptFingerprint } from './fingerprint.mjs';
import { root } from './platform.mjs';

const require = createRequire(import.meta.url);
const dist = path.join(root, 'dist');
const names = Object.keys(require(path.join(dist, 'index.js'))).sort();

const shim = [
  "import commonjs from './index.js';",
  '',
  ...names.map((name) => `export const ${name} = commonjs.${name};`),
  '',
];
writeFileSync(path.join(dist, 'index.mjs'), shim.join('\n'));
writeFileSync(path.join(dist, 'index.d.mts'), "export * from './index.js';\n");
chmodSync(path.join(dist, 'cli', 'main.js'), 0o755);
writeFileSync(path.join(dist, 'sources.sha256'), typescriptFingerprint());
