/** What a release has, and whether it is built: `npm run build:release`. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root, run } from '../process/child';

export const folderOf = (tuple: string): string => path.join(root, 'prebuilds', tuple);

export interface Manifest {
  readonly version: string;
  readonly builder: string;
  readonly sources: string;
  readonly files: Readonly<Record<string, string>>;
}

export function manifestOf(tuple: string): Manifest {
  const file = path.join(folderOf(tuple), 'manifest.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}

export const tuples = [
  'linux-x64',
  'linux-arm64',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-arm64',
  'darwin-x64',
  'win32-x64',
];

/** `describe` where a release is built; elsewhere it says so and skips, or fails where one must be. */
export function describeRelease(name: string, body: () => void): void {
  const missing = tuples.filter(
    (tuple) =>
      !existsSync(path.join(folderOf(tuple), 'manifest.json')) ||
      !manifestOf(tuple).builder.startsWith('zig '),
  );
  if (missing.length === 0) {
    describe(name, body);
    return;
  }
  const reason = `no release build of ${missing.join(', ')}: npm run build:release`;
  if (process.env['EFL_REQUIRE_RELEASE'] === '1') {
    throw new Error(`EFL_REQUIRE_RELEASE=1, but there is ${reason}`);
  }
  console.warn(`${name}: skipped, ${reason} (EFL_REQUIRE_RELEASE=1 makes this an error)`);
  describe.skip(name, body);
}

/** What one of the tools of LLVM says of a file, whatever its format. */
export async function readobj(...args: readonly string[]): Promise<string> {
  const names = ['llvm-readobj', 'llvm-readobj-14'];
  for (const name of names) {
    const ended = await run(name, [...args]).catch(() => undefined);
    if (ended?.status === 0) return ended.stdout;
  }
  throw new Error(`none of ${names.join(', ')} can be run: install llvm`);
}
