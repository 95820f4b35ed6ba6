import { existsSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { backends, cpuStatus, type BackendStatus } from '../backends';
import { deviceLibraryPath } from '../binding/devices';
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
  readonly intact?: boolean | undefined;
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
  // EFL_BINARY and EFL_CUDA_LIBRARY name files that no manifest is about.
  if (process.env['EFL_BINARY']) return { path: file, found: true };
  const { builder, configuration } = manifestOf(file) ?? {};
  return {
    ...{ path: file, found: true, intact: isIntact(file) },
    ...(builder && { builder }),
    ...(configuration && { configuration }),
  };
}

/** What scripts/staging.mjs writes beside the files it is about. */
interface Manifest {
  readonly builder: string;
  readonly configuration: string;
  readonly files?: Readonly<Record<string, string>>;
}

function manifestOf(file: string): Manifest | undefined {
  const manifest = path.join(path.dirname(file), 'manifest.json');
  try {
    return JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
  } catch {
    return undefined; // none, or a damaged one, which says nothing
  }
}

/** Undefined where no manifest says what the file is. */
function isIntact(file: string): boolean | undefined {
  const expected = manifestOf(file)?.files?.[path.basename(file)];
  if (expected === undefined) return undefined;
  return createHash('sha256').update(readFileSync(file)).digest('hex') === expected;
}

/** The library for GPUs that would be opened, where it is not what its manifest says. */
function damagedDeviceLibrary(): string | undefined {
  if (process.env['EFL_CUDA_LIBRARY'] || process.env['EFL_DISABLE_CUDA']) return undefined;
  const file = deviceLibraryPath();
  return file !== undefined && isIntact(file) === false ? file : undefined;
}

/** Loading a truncated file can end the process without an exception: report it, do not try it. */
function backendsOf({ path: file, intact }: BinaryReport): BackendStatus[] {
  if (intact === false) return [damaged('cpu', file), damaged('cuda', file)];
  const library = damagedDeviceLibrary();
  return library === undefined ? backends() : [cpuStatus(), damaged('cuda', library)];
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
