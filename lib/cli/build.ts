import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../version';

/** What a build from source needs beside a compiler and CMake; not installed with the package. */
const tools = ['cmake-js@8.0.0', 'node-addon-api@8.9.2'];

/** Compiles the addon from the sources in the package. Returns the exit code. */
export function buildFromSource(): number {
  const script = path.join(packageRoot, 'scripts', 'build-native.mjs');
  const missing = tools.filter((tool) => !isInstalled(tool.slice(0, tool.lastIndexOf('@'))));
  if (missing.length > 0 || !existsSync(script)) {
    console.error(
      'Building from source needs tools that are not installed with the package. First:',
    );
    console.error(`  npm install --save-dev ${missing.join(' ')}`);
    return 1;
  }
  const { status } = spawnSync(process.execPath, [script, 'cmake'], { stdio: 'inherit' });
  return status ?? 1;
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(`${name}/package.json`, { paths: [packageRoot] });
    return true;
  } catch {
    return false;
  }
}
