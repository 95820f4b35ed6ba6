import { closeSync, openSync, readSync } from 'node:fs';

/** Platforms that the addon can be built for. */
const supported = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64']);

export interface Platform {
  /** The folder below prebuilds/, for example `linux-x64` or `linux-x64-musl`. */
  readonly tuple: string;
  readonly supported: boolean;
}

let known: Platform | undefined;

export function currentPlatform(): Platform {
  known ??= detect();
  return known;
}

function detect(): Platform {
  const base = `${process.platform}-${process.arch}`;
  return { tuple: usesMusl() ? `${base}-musl` : base, supported: supported.has(base) };
}

/** Whether this Node.js runs on musl: its binary names the loader it wants within the first page. */
function usesMusl(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    const head = Buffer.alloc(4096);
    const file = openSync(process.execPath, 'r');
    readSync(file, head);
    closeSync(file);
    return head.includes('/ld-musl-');
  } catch {
    return false;
  }
}

/** `glibc 2.36`, `musl`; undefined where the C library does not matter. Takes some milliseconds. */
export function describeLibc(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return usesMusl() ? 'musl' : `glibc ${glibcVersion() ?? 'of unknown version'}`;
}

function glibcVersion(): string | undefined {
  // The part of the report on the network would look up names.
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const { excludeNetwork = false } = report;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = excludeNetwork;
  return header.glibcVersionRuntime;
}

/** `linux-x64 (glibc 2.36, Node 20.20.2, Node-API 9)` */
export function describePlatform(): string {
  const parts = [
    describeLibc(),
    `Node ${process.versions.node}`,
    `Node-API ${process.versions['napi'] ?? 'unknown'}`,
  ].filter((part) => part !== undefined);
  return `${currentPlatform().tuple} (${parts.join(', ')})`;
}
