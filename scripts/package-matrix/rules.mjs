// Tools that know the rules of packages.
import { succeed } from './project.mjs';
import { tool } from './tools.mjs';

/**
 * Errors and warnings fail, suggestions do not: "type": "commonjs", which it suggests, would make
 * webpack take the ES modules in dist/esm for CommonJS.
 */
async function publint({ tarball, work }) {
  await succeed(process.execPath, [tool('publint', 'src', 'cli.js'), '--strict', tarball], work);
}

async function attw({ tarball, work }) {
  const file = tool('@arethetypeswrong', 'cli', 'dist', 'index.js');
  await succeed(process.execPath, [file, tarball], work);
}

export const rules = { publint, attw };
