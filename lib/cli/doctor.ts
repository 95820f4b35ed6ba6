import { existsSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { backends, cpuStatus, type BackendStatus } from '../backends';
import { deviceLibraryName } from '../binding/devices';
import { addonPath } from '../binding/load';
import { currentPlatform, describeLibc } from '../binding/platform';
import { variables } from '../binding/settings';
import { packageName, version } from '../version';

interface BinaryReport {
  readonly path: string;
  readonly found: boolean;
  /** How it was built, where its manifest says so. */
  readonly builder?: string;
  readonly configuration?: string;
  /** Whether the file is the one the manifest was written for; a damaged one can crash at loading. */
  readonly intact?: boolean;
  /** The same of the library for GPUs beside it. */
  readonly libraryIntact?: boolean | undefined;
}

interface Report {
  readonly package: string;
  readonly version: string;
  readonly platform: string;
  readonly libc: string | null;
  readonly node: string;
  readonly nodeApi: string | null;
  readonly binary: BinaryReport;
  /** The settings of this package that are set. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of other EFL_* variables: perhaps misspelled, perhaps another program's and secret. */
  readonly unknownVariables: readonly string[];
  readonly backends: readonly BackendStatus[];
}

/** Prints what an issue report needs. Returns the exit code: 0 where a backend (the required one) works. */
export function doctor(options: { json?: boolean; require?: string }): number {
  const report = examine();
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : format(report));
  const wanted = report.backends.filter(
    ({ name }) => options.require === undefined || name === options.require,
  );
  return wanted.some(({ available }) => available) ? 0 : 1;
}

function examine(): Report {
  const binary = examineBinary();
  return {
    package: packageName,
    version,
    platform: currentPlatform().tuple,
    libc: describeLibc() ?? null,
    node: process.versions.node,
    nodeApi: process.versions['napi'] ?? null,
    binary,
    environment: settingsInEnvironment(),
    unknownVariables: unknownVariables(),
    backends: backendsOf(binary),
  };
}

function examineBinary(): BinaryReport {
  const file = addonPath();
  if (!existsSync(file)) return { path: file, found: false };
  const manifestFile = path.join(path.dirname(file), 'manifest.json');
  if (process.env['EFL_BINARY'] || !existsSync(manifestFile)) return { path: file, found: true };
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as {
    builder: string;
    configuration: string;
    sha256: string;
    cudaSha256?: string;
  };
  return {
    path: file,
    found: true,
    builder: manifest.builder,
    configuration: manifest.configuration,
    intact: isIntact(file, manifest.sha256),
    libraryIntact: isLibraryIntact(path.dirname(file), manifest.cudaSha256),
  };
}

function isIntact(file: string, expected: string): boolean {
  return createHash('sha256').update(readFileSync(file)).digest('hex') === expected;
}

/** Of the library that would be opened; undefined where none is, or another one. */
function isLibraryIntact(folder: string, expected: string | undefined): boolean | undefined {
  const { EFL_CUDA_LIBRARY: other, EFL_DISABLE_CUDA: disabled } = process.env;
  const library = path.join(folder, deviceLibraryName);
  if (expected === undefined || other || disabled || !existsSync(library)) return undefined;
  return isIntact(library, expected);
}

/** Loading a truncated file can end the process without an exception: report it, do not try it. */
function backendsOf({ path: file, intact, libraryIntact }: BinaryReport): BackendStatus[] {
  if (intact === false) return [damaged('cpu', file), damaged('cuda', file)];
  if (libraryIntact !== false) return backends();
  return [cpuStatus(), damaged('cuda', path.join(path.dirname(file), deviceLibraryName))];
}

function damaged(name: 'cpu' | 'cuda', file: string): BackendStatus {
  const detail = `${file} is not the file its manifest describes: reinstall the package or rebuild`;
  return { name, available: false, reason: 'binary-damaged', detail };
}

function settingsInEnvironment(): Record<string, string> {
  const entries = variables.map((name) => [name, process.env[name]] as const);
  const isSet = (entry: readonly [string, unknown]): entry is readonly [string, string] =>
    entry[1] !== undefined;
  return Object.fromEntries(entries.filter(isSet));
}

function unknownVariables(): string[] {
  return Object.keys(process.env)
    .filter((name) => name.startsWith('EFL_') && !variables.includes(name))
    .sort();
}

function format(report: Report): string {
  const { binary } = report;
  const how = [binary.builder, binary.configuration].filter((part) => part !== undefined);
  const state = binary.found ? how.join(', ') || 'found' : 'missing';
  const lines = [
    `${report.package} ${report.version}`,
    `  platform  ${report.platform}${report.libc ? ` (${report.libc})` : ''}`,
    `  Node.js   ${report.node} (Node-API ${report.nodeApi ?? 'unknown'})`,
    `  binary    ${binary.path} (${state})`,
    ...Object.entries(report.environment).map(([name, value]) => `  set       ${name}=${value}`),
    ...report.unknownVariables.map((name) => `  ignored   ${name}: not a setting of this package`),
    ...report.backends.map(formatBackend),
  ];
  return `${lines.join('\n')}\n`;
}

function formatBackend(
  backend: BackendStatus,
  index: number,
  all: readonly BackendStatus[],
): string {
  const { name, available, reason, detail } = backend;
  const status = available ? 'available' : `unavailable (${reason ?? 'unknown'})`;
  // What keeps the addon from loading is the reason of every backend.
  const same = all.slice(0, index).find((other) => !available && other.detail === detail);
  const text = same ? `as for ${same.name}` : detail.replaceAll('\n', '\n            ');
  return `  ${name.padEnd(8)}  ${status}: ${text}`;
}
