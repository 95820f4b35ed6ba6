import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import { requireRegular } from './regular-file';

/**
 * Writes a file whole or not at all, so that it is still there after a power cut: beside its target,
 * whose place it then takes. A symbolic link stays and what it leads to is written; mode and owner
 * stay. What cannot be replaced so is refused: anything but a regular file, and a file with other
 * names, under which it would stay as it was.
 */
export function replaceFile(file: string, bytes: Uint8Array): void {
  const before = statSync(file, { throwIfNoEntry: false });
  if (before) requireReplaceable(before);
  const target = followLinks(file);
  // The directory alone decides whether a file can be replaced; its own mode says whether it may.
  if (before) accessSync(target, constants.W_OK);
  removeOrphans(target);
  // Opened before anything changes: where that fails the file stays as it was.
  const directory = openDirectory(path.dirname(target));
  try {
    for (let attempt = 1; !isReplaced(target, bytes, before, attempt === mostAttempts); attempt++);
    if (directory !== undefined) syncDirectory(directory);
  } finally {
    if (directory !== undefined) closeSync(directory);
  }
}

/** The new file is in place, but may be gone after a power cut. */
export class NotLastingError extends Error {}

const mostAttempts = 5;

function requireReplaceable(stats: Stats): void {
  requireRegular(stats);
  if (stats.nlink > 1) {
    const names = `a file with ${stats.nlink} names, hard links`;
    throw new Error(`${names}: it cannot be replaced under all of them at once`);
  }
}

/** Where a path leads, whether or not there is a file yet. */
function followLinks(file: string): string {
  try {
    // Unlike `path.resolve` this knows what `..` behind a link means.
    return realpathSync.native(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const link = linkAt(file);
  if (link === undefined) return file;
  return followLinks(path.isAbsolute(link) ? link : `${path.dirname(file)}${path.sep}${link}`);
}

function linkAt(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined; // nothing there
  }
}

/**
 * Whether the file could be replaced; false where the temporary file has gone meanwhile: a process
 * elsewhere, on a disk that is shared, has taken it for an orphan.
 */
function isReplaced(
  target: string,
  bytes: Uint8Array,
  before: Stats | undefined,
  isLast: boolean,
): boolean {
  const temporary = temporaryFor(target);
  try {
    writeDurably(temporary, bytes, before);
    renameSync(temporary, target);
    return true;
  } catch (error) {
    removeQuietly(temporary);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (!isLast && code === 'ENOENT' && syscall === 'rename') return false;
    throw error;
  }
}

function writeDurably(file: string, bytes: Uint8Array, before: Stats | undefined): void {
  const descriptor = openSync(file, 'wx', before ? 0o600 : 0o666);
  try {
    for (let written = 0; written < bytes.length;) {
      written += writeSync(descriptor, bytes, written);
    }
    if (before) {
      // What the group was allowed is not for another one.
      const kept = keepGroup(descriptor, before) ? 0o777 : 0o707;
      fchmodSync(descriptor, before.mode & kept);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Keeps owner and group as far as this process may, and says whether the group is kept: a file of
 * somebody else becomes its own.
 */
function keepGroup(descriptor: number, { uid, gid }: Stats): boolean {
  return [uid, -1].some((owner) => {
    try {
      fchownSync(descriptor, owner, gid);
      return true;
    } catch {
      return false; // At least the group, then.
    }
  });
}

/** Undefined for one that cannot be synchronized: it can be written but not read, or on Windows. */
function openDirectory(directory: string): number | undefined {
  if (process.platform === 'win32') return undefined;
  try {
    return openSync(directory, 'r');
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** So that the new name, too, is on the disk. */
function syncDirectory(descriptor: number): void {
  try {
    fsyncSync(descriptor);
  } catch (error) {
    // Some file systems cannot.
    if (['EINVAL', 'ENOTSUP', 'ENOSYS'].includes(codeOf(error) ?? '')) return;
    const problem = error instanceof Error ? error.message : String(error);
    const message = `the new file is in place, but may not outlast a power cut: ${problem}`;
    throw new NotLastingError(message, { cause: error });
  }
}

/** A new name beside the target, which is on the same file system, where a rename is atomic. */
function temporaryFor(target: string): string {
  const name = `${orphanPrefix(target)}${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  return path.join(path.dirname(target), name);
}

/** Not the target's whole name: that may be as long as names can be. */
function orphanPrefix(target: string): string {
  const hash = createHash('sha256').update(path.basename(target)).digest('hex');
  return `.efl-${hash.slice(0, 12)}-`;
}

/** Removes what processes have left that were killed while they wrote this file. */
function removeOrphans(target: string): void {
  const prefix = orphanPrefix(target);
  const directory = path.dirname(target);
  for (const name of namesIn(directory)) {
    const pid = name.startsWith(prefix) && /^(\d+)-[0-9a-f]+\.tmp$/.exec(name.slice(prefix.length));
    if (!pid) continue;
    const file = path.join(directory, name);
    if (isOrphan(file, Number(pid[1]))) removeQuietly(file);
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // If it cannot be written either, that will be said.
  }
}

const longestSave = 60 * 60 * 1000;

function isOrphan(file: string, pid: number): boolean {
  const written = lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (written < Date.now() - longestSave) return true;
  // In a container every process may have the same number, one after another.
  if (pid === process.pid) return written < Date.now() - process.uptime() * 1000;
  return !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** After a failure, whose error is the one to report. */
function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where the path itself is impossible there is no file either.
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
