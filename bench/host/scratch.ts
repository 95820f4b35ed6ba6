import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const folders = new Set<string>();
process.once('exit', () => {
  for (const folder of folders) removeFolder(folder);
});

/**
 * A folder that is gone when this process is, in memory where there is room for so many bytes, or
 * where `EFL_BENCH_SCRATCH` says.
 */
export function scratchFolder(bytes: number): string {
  const place = process.env['EFL_BENCH_SCRATCH'] ?? roomyPlace(bytes);
  const folder = mkdtempSync(path.join(place, 'efl-bench-'));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

function roomyPlace(bytes: number): string {
  return hasRoom('/dev/shm', bytes) ? '/dev/shm' : tmpdir();
}

function hasRoom(folder: string, bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > 2 * bytes;
  } catch {
    return false;
  }
}
