import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EflLoadError, version } from '../../lib';
import { addonPath } from '../../lib/binding/load';
import { loadFailure, neededNode } from '../../lib/binding/load-failure';
import { currentPlatform } from '../../lib/binding/platform';
import { cudaPackageName, packageName } from '../../lib/version';
import { root, runNode } from './child';

const tryToLoad = `
  try {
    new (require(process.env.PACKAGE).FocalLoss)({ numClasses: 2 });
    console.log(JSON.stringify({ loaded: true }));
  } catch ({ name, code, reason, attempts, message, cause }) {
    console.log(JSON.stringify({ name, code, reason, attempts, message, cause: cause !== undefined }));
  }`;

interface Failure {
  readonly name: string;
  readonly code: string;
  readonly reason: string;
  readonly attempts: { path: string; problem: string }[];
  readonly message: string;
}

async function load(
  options: { packageFolder?: string; env?: Record<string, string>; flags?: string[] } = {},
): Promise<Failure> {
  const { stdout, stderr } = await runNode([...(options.flags ?? []), '-e', tryToLoad], {
    env: { PACKAGE: options.packageFolder ?? root, ...options.env },
  });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout) as Failure;
}

/** A copy of the built package whose parts a test may spoil. */
function copyPackage(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'efl with space-'));
  for (const part of ['dist', 'prebuilds', 'package.json']) {
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  copies.push(folder);
  return folder;
}

const copies: string[] = [];
afterAll(() => {
  for (const folder of copies) rmSync(folder, { recursive: true, force: true });
});

const dataUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

const manifestOf = (folder: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;

const binaryOf = (folder: string): string => path.join(folder, path.relative(root, addonPath()));

test('a copy of the package in a folder with a space in its name loads', async () => {
  expect(await load({ packageFolder: copyPackage() })).toEqual({ loaded: true });
});

test('a missing binary says which file and how to build it', async () => {
  const folder = copyPackage();
  rmSync(path.join(folder, 'prebuilds'), { recursive: true });
  const failure = await load({ packageFolder: folder });
  expect(failure).toMatchObject({
    name: 'EflLoadError',
    code: 'EFL_LOAD',
    reason: 'binary-missing',
  });
  expect(failure.attempts).toEqual([{ path: binaryOf(folder), problem: 'no such file' }]);
  const lines = failure.message.split('\n');
  expect(lines[0]).toMatch(
    /^Could not load the native addon for \S+ \(.*Node \d.*Node-API \d+\)\.$/,
  );
  expect(lines[1]).toBe(`  tried  ${binaryOf(folder)}: no such file`);
  expect(lines[2]).toBe('What to do:');
  expect(lines[3]).toContain('npx equalized-focal-loss build');
  expect(lines.at(-1)).toBe('Details: npx equalized-focal-loss doctor');
});

test('a binary of another version is refused with both versions', async () => {
  const folder = copyPackage();
  const file = path.join(folder, 'dist', 'version.js');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`'${version}'`, "'99.1.2'"));
  const failure = await load({ packageFolder: folder });
  expect(failure.reason).toBe('version-mismatch');
  expect(failure.message).toMatch(/JS 99\.1\.2, binary \d+\.\d+\.\d+/);
  expect(failure.message).toContain(
    'delete prebuilds/ or build here: npx equalized-focal-loss build',
  );
});

test("a file that is no binary is refused with the loader's own words", async () => {
  const folder = copyPackage();
  writeFileSync(binaryOf(folder), 'not a binary, but long enough to be looked at by the loader');
  const failure = await load({ packageFolder: folder });
  expect(failure).toMatchObject({ reason: 'dlopen-failed', cause: true });
  expect(failure.attempts[0]!.problem).toMatch(/invalid ELF header|file too short|mach-o/i);
  expect(failure.message).toContain('damaged or for another platform');
});

test('switched-off addons are named as the reason', async () => {
  expect((await load({ flags: ['--no-addons'] })).reason).toBe('addons-disabled');
});

test('EFL_BINARY is the only file tried', async () => {
  const failure = await load({ env: { EFL_BINARY: '/nowhere/efl.node' } });
  expect(failure.reason).toBe('binary-missing');
  expect(failure.attempts).toEqual([{ path: '/nowhere/efl.node', problem: 'no such file' }]);
  expect(failure.message).toContain('EFL_BINARY names this file');
});

test('EFL_BINARY may not name a script', async () => {
  const failure = await load({ env: { EFL_BINARY: path.join(root, 'jest.config.cjs') } });
  expect(failure.reason).toBe('dlopen-failed');
});

test('a Node.js without the needed Node-API is refused before anything is loaded', async () => {
  const preload = "Object.defineProperty(process.versions, 'napi', { value: '7' })";
  const failure = await load({ flags: ['--import', dataUrl(preload)] });
  expect(failure.reason).toBe('node-too-old');
  expect(failure.message).toContain('with Node-API 8');
});

test.each(['18.20.8', '20.16.0'])('Node.js %s, which is not tested, is refused', async (node) => {
  const preload = `Object.defineProperty(process.versions, 'node', { value: '${node}' })`;
  const failure = await load({ flags: ['--import', dataUrl(preload)] });
  expect(failure.reason).toBe('node-too-old');
  expect(failure.message).toContain('use Node.js 20.17 or newer');
});

test('the oldest Node.js that is taken is the one that package.json asks for', () => {
  const { engines } = manifestOf(root);
  expect(engines).toEqual({ node: `>=${neededNode}` });
});

test('version and name in the code are those of package.json', () => {
  expect({ name: packageName, version }).toEqual({
    name: manifestOf(root).name,
    version: manifestOf(root).version,
  });
});

test('an unsupported platform is named, and cannot be built for', async () => {
  const flags = ['--import', dataUrl("Object.defineProperty(process, 'arch', { value: 'mips' })")];
  expect((await load({ flags })).reason).toBe('unsupported-platform');
  const cli = path.join(root, 'dist', 'cli', 'main.js');
  const { status, stderr } = await runNode([...flags, cli, 'build']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^efl build: it cannot build for \w+-mips, /);
  expect(stderr).not.toContain('cmake-js');
});

test('a C library that is too old is told apart from other failures', () => {
  const problem = "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found";
  const error = loadFailure('dlopen-failed', [{ path: 'efl.node', problem }]);
  expect(error).toBeInstanceOf(EflLoadError);
  expect(error.message).toMatch(
    /this system's glibc is [\d.]+, the binary needs 2\.38: use a newer base image, or build here: npx equalized-focal-loss build/,
  );
  const missing = loadFailure('dlopen-failed', [
    { path: 'efl.node', problem: "GLIBCXX_3.4.99' not found" },
  ]);
  expect(missing.message).toContain('install the C++ runtime');
});

test('doctor does not load a truncated binary, which could end the process, and says so', async () => {
  const folder = copyPackage();
  truncateSync(binaryOf(folder), 20_000);
  const cli = path.join(folder, 'dist', 'cli', 'main.js');
  const { status, stdout } = await runNode([cli, 'doctor']);
  expect(status).toBe(1);
  expect(stdout).toContain('unavailable (binary-damaged)');
});

test('doctor does not load a truncated library for GPUs either; the CPU backend works', async () => {
  const folder = copyPackage();
  const prebuilds = path.dirname(binaryOf(folder));
  const library = path.join(prebuilds, 'libefl_cuda.so');
  writeFileSync(library, 'cut off');
  const manifestFile = path.join(prebuilds, 'manifest.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as { files: object };
  writeFileSync(
    manifestFile,
    JSON.stringify({
      ...manifest,
      files: { ...manifest.files, 'libefl_cuda.so': 'that of the whole file' },
    }),
  );
  const cli = path.join(folder, 'dist', 'cli', 'main.js');
  const { status, stdout } = await runNode([cli, 'doctor']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/cpu +available/);
  expect(stdout).toMatch(/cuda +unavailable \(binary-damaged\): .*libefl_cuda\.so is not the file/);
  const env = { EFL_DISABLE_CUDA: '1' };
  expect((await runNode([cli, 'doctor'], { env })).stdout).toContain('unavailable (disabled)');
});

/** Both packages as they are installed, the second one only if there is a text for its library. */
function installed(library?: string): string {
  const modules = path.join(mkdtempSync(path.join(tmpdir(), 'efl-installed-')), 'node_modules');
  copies.push(path.dirname(modules));
  for (const part of ['dist', 'prebuilds', 'package.json']) {
    cpSync(path.join(root, part), path.join(modules, packageName, part), { recursive: true });
  }
  const ours = path.join(root, 'node_modules', 'commander');
  symlinkSync(ours, path.join(modules, 'commander'));
  if (library === undefined) return modules;
  const folder = path.join(modules, cudaPackageName, 'prebuilds', currentPlatform().tuple);
  mkdirSync(folder, { recursive: true });
  cpSync(
    path.join(root, 'packages', cudaPackageName, 'package.json'),
    path.join(modules, cudaPackageName, 'package.json'),
  );
  writeFileSync(path.join(folder, 'libefl_cuda.so'), library);
  return modules;
}

async function doctorIn(modules: string): Promise<string> {
  const cli = path.join(modules, packageName, 'dist', 'cli', 'main.js');
  return (await runNode([cli, 'doctor'])).stdout;
}

test('without the library for GPUs doctor says how to get it, or that there is none', async () => {
  const said = await doctorIn(installed());
  if (currentPlatform().tuple === 'linux-x64') {
    expect(said).toContain(
      `unavailable (not-installed): the library for GPUs is a package of its own: npm install ${cudaPackageName}@${version}`,
    );
  } else {
    expect(said).toContain(`unavailable (not-built): there is none for ${currentPlatform().tuple}`);
  }
});

test('the library for GPUs is found in its package', async () => {
  const said = await doctorIn(installed('no library'));
  expect(said).toContain('unavailable (library-not-loadable)');
  expect(said).toContain(path.join(cudaPackageName, 'prebuilds', currentPlatform().tuple));
});

test('the package for GPUs has the version of this one, which wants no other beside it', () => {
  const own = manifestOf(root) as { peerDependencies: Record<string, string> };
  const cuda = manifestOf(path.join(root, 'packages', cudaPackageName));
  expect(cuda).toMatchObject({ name: cudaPackageName, version });
  expect(own.peerDependencies[cudaPackageName]).toBe(version);
  expect(own).toMatchObject({ peerDependenciesMeta: { [cudaPackageName]: { optional: true } } });
  expect(own).not.toHaveProperty('optionalDependencies');
});
