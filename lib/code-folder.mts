import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * As in `code-folder.ts`, for the ES modules that bundlers take. `__dirname` first: what they write
 * may be CommonJS after all, where esbuild leaves no `import.meta`, and webpack puts the place of
 * this file at the time of bundling into `import.meta.url`.
 */
export const codeFolder =
  typeof __dirname === 'string' ? __dirname : path.dirname(fileURLToPath(import.meta.url));
