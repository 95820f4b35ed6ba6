// The packages in package.json here: installed when a release is built or tried, not with the others.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from '../install-dependencies.mjs';

const folder = path.dirname(fileURLToPath(import.meta.url));

/** Installs them where they are not there yet. Most are for other platforms, hence the force. */
export async function releaseTools() {
  const code = await installDependencies(folder, 'scripts/release', ['--force']);
  if (code !== 0) process.exit(code);
}

/** The path of a file of one of them. */
export function tool(name, ...parts) {
  return path.join(folder, 'node_modules', name, ...parts);
}
