/** What the binaries of a release are made of, and what they need of a system. */
import { readFileSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { root, run } from '../process/child';
import { describeRelease, folderOf, manifestOf, readobj, tuples } from './release';

const ofPlatform = (start: string): string[] => tuples.filter((tuple) => tuple.startsWith(start));

const filesOf = (tuple: string): string[] =>
  Object.keys(manifestOf(tuple).files)
    .filter((name) => !name.endsWith('.lib'))
    .map((name) => path.join(folderOf(tuple), name));

/** The names in a list of LLVM's, such as `NeededLibraries [ ... ]`. */
function listIn(text: string, title: string): string[] {
  const list = new RegExp(`${title} \\[([^\\]]*)\\]`).exec(text)?.[1] ?? '';
  return list.split('\n').flatMap((line) => line.trim() || []);
}

/** `[2, 28]` of `GLIBC_2.28`, the newest one that a file names. */
function newestGlibc(text: string): number[] {
  const versions = [...text.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, a, b]) => [+a!, +b!]);
  return versions.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!).at(-1) ?? [];
}

/** The names that a file for macOS looks for elsewhere. */
async function undefinedIn(file: string): Promise<string[]> {
  const symbols = (await readobj('--symbols', file)).split('Symbol {');
  return symbols
    .filter((symbol) => /^\s*Type: Undef/m.test(symbol))
    .flatMap((symbol) => /Name: (_\S+)/.exec(symbol)?.[1] ?? []);
}

describeRelease('a release', () => {
  test.each(tuples)('has a manifest with version, sources and checksums of %s', async (tuple) => {
    const manifest = manifestOf(tuple);
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    const fingerprint = `import('./scripts/fingerprint.mjs').then((m) => console.log(m.nativeFingerprint()))`;
    const { stdout: sources } = await run(process.execPath, ['-e', fingerprint]);
    expect(manifest).toMatchObject({ version, sources: sources.trim() });
    for (const [name, sum] of Object.entries(manifest.files)) {
      const bytes = readFileSync(path.join(folderOf(tuple), name));
      expect([name, createHash('sha256').update(bytes).digest('hex')]).toEqual([name, sum]);
    }
    expect(Object.keys(manifest.files)).toContain('efl.node');
  });

  test('is 12 MB at most when packed', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
    const [packed] = JSON.parse(stdout) as { size: number; files: { path: string }[] }[];
    const paths = packed!.files.map((file) => file.path);
    for (const tuple of tuples) expect(paths).toContain(`prebuilds/${tuple}/efl.node`);
    expect(paths).toContain('dist/index.js');
    expect(paths.filter((name) => name.includes('cuda.so'))).toEqual([]);
    expect(packed!.size).toBeLessThan(12e6);
  });

  test.each(['linux-x64', 'linux-arm64'])(
    'for %s needs glibc 2.28 at most, and no C++ library',
    async (tuple) => {
      for (const file of filesOf(tuple)) {
        const text = await readobj('--needed-libs', '--version-info', file);
        const [major, minor] = newestGlibc(text);
        expect(major).toBe(2);
        expect(minor).toBeLessThanOrEqual(28);
        const needed = listIn(text, 'NeededLibraries');
        expect(needed.length).toBeGreaterThan(0);
        expect(
          needed.filter((name) => !/^(lib(c|m|dl|pthread)|ld-linux.*)\.so/.test(name)),
        ).toEqual([]);
      }
    },
  );

  test.each(['linux-x64-musl', 'linux-arm64-musl'])('for %s needs musl alone', async (tuple) => {
    for (const file of filesOf(tuple)) {
      const text = await readobj('--needed-libs', '--version-info', file);
      expect(listIn(text, 'NeededLibraries')).toEqual(['libc.so']);
      expect(text).not.toMatch(/GLIBC/);
    }
  });

  test.each(ofPlatform('darwin'))(
    'for %s is for macOS 11, needs the system library alone, and finds Node-API in the program',
    async (tuple) => {
      for (const file of filesOf(tuple)) {
        const text = await readobj('--needed-libs', '--macho-version-min', file);
        // Its own name is among them.
        const own = `@rpath/${path.basename(file)}`;
        expect(listIn(text, 'NeededLibraries').sort()).toEqual(
          ['/usr/lib/libSystem.B.dylib', own].sort(),
        );
        expect(text).toMatch(/Platform: macos/);
        expect(text).toMatch(/Version: 11\.0/);
        expect(statSync(file).size).toBeGreaterThan(100_000);
      }
      const addon = path.join(folderOf(tuple), 'efl.node');
      const [wanted, others] = [await undefinedIn(addon), await undefinedIn(filesOf(tuple)[1]!)];
      const isNodeApi = (name: string): boolean => /^_(napi|node_api)_/.test(name);
      expect(wanted.filter(isNodeApi).length).toBeGreaterThan(30);
      // What is no name of C is in no library of the system. The linker has seen to those of C in
      // libefl, where it leaves nothing undefined.
      expect(wanted.filter((name) => name.startsWith('__Z'))).toEqual([]);
      expect(others.filter(isNodeApi)).toEqual([]);
      expect(others.filter((name) => name.startsWith('__Z'))).toEqual([]);
    },
  );

  test('for Windows x64 needs the system and the program that loads the addon, alone', async () => {
    for (const file of filesOf('win32-x64')) {
      const text = await readobj('--coff-imports', file);
      const libraries = [...text.matchAll(/^Import \{\n\s*Name: (\S+)/gm)].map(
        (match) => match[1]!,
      );
      expect(libraries).toContain('KERNEL32.dll');
      const others = libraries.filter(
        (name) => !/^(KERNEL32|api-ms-win-crt-.*|ntdll)\.dll$/i.test(name),
      );
      expect(others).toEqual(file.endsWith('.node') ? ['node.exe'] : []);
    }
  });

  test('for Windows x64 exports what the others do', async () => {
    const names = async (file: string): Promise<string[]> =>
      [...(await readobj('--coff-exports', file)).matchAll(/Name: (\S+)/g)]
        .map((m) => m[1]!)
        // Of the unwinder, which is linked in and says of itself that it is exported.
        .filter((name) => !/^(_Unwind_|unw_|_GCC_specific_handler)/.test(name))
        .sort();
    const map = (file: string): string[] => {
      const global = /global:([^]*?)local:/.exec(readFileSync(path.join(root, file), 'utf8'))![1]!;
      return [...global.matchAll(/\w+/g)].map(String).sort();
    };
    const folder = folderOf('win32-x64');
    expect(await names(path.join(folder, 'efl.dll'))).toEqual(map('native/c/exports.map'));
    expect(await names(path.join(folder, 'efl.node'))).toEqual(map('native/node/exports.map'));
  });
});
