import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packages as tensorflowPackages } from '../adapters/tfjs/tensorflow';
import { expectSuccess, root, run, runNode } from './child';

const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** A project that has installed the packed package. */
export interface UserProject {
  readonly folder: string;
  readonly packedFiles: readonly string[];
  /** What the package brought along; TensorFlow.js is put beside it afterwards. */
  readonly installed: readonly string[];
}

/** The build at hand, packed; with `EFL_TARBALL` that package. */
export async function installPacked(): Promise<UserProject> {
  const folder = mkdtempSync(path.join(tmpdir(), 'efl user project-'));
  // Without prepack, which builds a release for GPUs where nvcc is.
  const given = process.env['EFL_TARBALL'] ?? '';
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const packed = await run('npm', given === '' ? pack : [...pack, given]);
  expectSuccess(packed);
  const [report] = JSON.parse(packed.stdout) as { filename: string; files: { path: string }[] }[];
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "user", "version": "1.0.0" }');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  expectSuccess(await run('npm', [...args, `./${report!.filename}`], { cwd: folder }));
  const modules = path.join(folder, 'node_modules');
  const installed = readdirSync(modules).filter((name) => !name.startsWith('.'));
  const tensorflow = path.join(tensorflowPackages, '@tensorflow');
  symlinkSync(tensorflow, path.join(modules, '@tensorflow'), 'junction');
  return { folder, packedFiles: report!.files.map((file) => file.path), installed };
}

/** Writes a program into a folder of its own in the project; returns its path. */
export function writeProgram(project: UserProject, name: string, code: string): string {
  // The declarations of TensorFlow.js do not compile by themselves.
  const kind = code.includes('/tfjs') ? 'tensorflow' : 'programs';
  const folder = path.join(project.folder, kind, name.replace(/\W/g, '-'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, name), code);
  return path.join(folder, name);
}

/** Compiles all programs in TypeScript that have been written, at once. */
export async function compilePrograms({ folder }: UserProject): Promise<void> {
  const kinds = readdirSync(folder).filter((name) => /^(programs|tensorflow)$/.test(name));
  for (const kind of kinds) {
    const compilerOptions = {
      strict: true,
      target: 'es2022',
      module: 'node16',
      types: ['node'],
      typeRoots: [path.join(root, 'node_modules', '@types')],
      skipLibCheck: kind === 'tensorflow',
    };
    const config = path.join(folder, kind, 'tsconfig.json');
    writeFileSync(config, JSON.stringify({ compilerOptions, include: ['**/*.mts', '**/*.cts'] }));
    expectSuccess(await runNode([tsc, '-p', config]));
  }
}

/** Runs a program, after it has been compiled if it is TypeScript, and returns what it prints. */
export async function runProgram(file: string): Promise<string> {
  const ended = await runNode([file.replace(/ts$/, 'js')], { cwd: path.dirname(file) });
  expectSuccess(ended);
  return ended.stdout;
}
