import { familySync, versionSync } from 'detect-libc';

/** Platforms that the addon can be built for. */
const supported = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']);

export interface Platform {
  /** The folder below prebuilds/, for example `linux-x64` or `linux-x64-musl`. */
  readonly tuple: string;
  readonly supported: boolean;
  /** `glibc 2.36`, `musl 1.2.3`; undefined where the C library does not matter. */
  readonly libc: string | undefined;
}

let known: Platform | undefined;

export function currentPlatform(): Platform {
  known ??= detect();
  return known;
}

function detect(): Platform {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') {
    return { tuple: base, supported: supported.has(base), libc: undefined };
  }
  const family = familySync();
  const libc = family ? `${family} ${versionSync() ?? 'of unknown version'}` : undefined;
  const tuple = family === 'musl' ? `${base}-musl` : base;
  return { tuple, supported: supported.has(base), libc };
}

/** `linux-x64 (glibc 2.36, Node 20.20.2, Node-API 9)` */
export function describePlatform(): string {
  const { tuple, libc } = currentPlatform();
  const parts = [
    libc,
    `Node ${process.versions.node}`,
    `Node-API ${process.versions['napi'] ?? 'unknown'}`,
  ].filter((part) => part !== undefined);
  return `${tuple} (${parts.join(', ')})`;
}
