import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { currentPlatform } from '../binding/platform';
import { codeFolder } from '../code-folder';

const packageFolder = path.dirname(codeFolder);

/** What a build from source needs beside a compiler and CMake; not installed with the package. */
const tools = ['cmake-js@8.0.0', 'node-addon-api@8.9.2'];

/** Compiles the addon from the sources in the package. Returns the exit code. */
export function buildFromSource(): number {
  const { supported, tuple } = currentPlatform();
  if (!supported || process.platform === 'win32') {
    console.error(
      `efl build: it cannot build for ${tuple}, only for Linux and macOS on x86-64 and arm64.`,
    );
    console.error('A build of your own can be named with EFL_BINARY.');
    return 1;
  }
  const script = path.join(packageFolder, 'scripts', 'build-native.mjs');
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
    require.resolve(`${name}/package.json`, { paths: [packageFolder] });
    return true;
  } catch {
    return false;
  }
}
