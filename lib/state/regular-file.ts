import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** A file to read parts of. */
export interface RegularFile {
  readonly size: number;
  /** Throws where the file ends before. */
  read(position: number, length: number): Uint8Array;
}

/**
 * Opens a file, hands it to `use` and closes it. Nothing but a regular file is opened: what has no
 * size could block for ever, never end, or do something when it is opened.
 */
export function withRegularFile<T>(path: string, use: (file: RegularFile) => T): T {
  requireRegular(statSync(path));
  // Another file may have come to the path by now. Opened in this way it does not block.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(descriptor);
    requireRegular(stats);
    return use({
      size: stats.size,
      read: (position, length) => readAt(descriptor, position, length),
    });
  } finally {
    closeSync(descriptor);
  }
}

/** Throws an Error that says what the path is instead. */
export function requireRegular(stats: FileKind): void {
  if (!stats.isFile()) throw new Error(`${kindOf(stats)}, not a regular file`);
}

type FileKind = Pick<
  ReturnType<typeof fstatSync>,
  'isFile' | 'isDirectory' | 'isFIFO' | 'isSocket' | 'isCharacterDevice' | 'isBlockDevice'
>;

function kindOf(stats: FileKind): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}

function readAt(descriptor: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const count = readSync(descriptor, bytes, filled, length - filled, position + filled);
    if (count === 0) throw new Error('the file became shorter while it was read');
    filled += count;
  }
  return bytes;
}
