/**
 * Memory for copies that is kept and used again. The system hands out fresh memory page by page,
 * which takes several times as long as filling it.
 *
 * What has not been used for a while is freed, and all of it where an allocation fails.
 */
import { addon } from '../binding/load';
import { isShortOfMemory } from '../binding/short-of-memory';
import { EflOutOfMemoryError } from '../errors';
import { clearInterval, setInterval, uninitializedBuffer } from '../intrinsics';

/** Whoever uses blocks, and has no use for them once it has been disposed of. */
export interface BlockUser {
  disposed: boolean;
}

export interface Block {
  readonly buffer: ArrayBuffer;
  user: BlockUser;
  /** Whether it has been in use since blocks were freed last. */
  recent: boolean;
}

/** A block is freed when it has not been used for once to twice so long, in milliseconds. */
const interval = 5000;
/** A block serves calls that fill at least so much of it. */
const leastShare = 1 / 4;

// In no particular order; there are as many as calls have been under way at a time.
let spare: Block[] = [];
let timer: NodeJS.Timeout | undefined;

/** A block of at least so many bytes. What it holds is unknown. */
export function takeBlock(bytes: number, user: BlockUser): Block {
  const found = smallest(spare.filter(({ buffer }) => fits(buffer.byteLength, bytes)));
  if (found) {
    spare.splice(spare.indexOf(found), 1);
    return { buffer: found.buffer, user, recent: true };
  }
  // In place of one that has become too small.
  const outgrown = spare.findIndex(({ buffer }) => buffer.byteLength < bytes);
  if (outgrown >= 0) free(spare.splice(outgrown, 1));
  const size = roundUp(bytes);
  const buffer = withMemory(() => uninitializedBuffer(size), 'The copy of the arguments');
  return { buffer, user, recent: true };
}

/** To be called when nothing works on the block any more. */
export function giveBack(block: Block): void {
  if (block.user.disposed || bytesIn([...spare, block]) > addon().heldBytes()[1]) {
    free([block]);
    return;
  }
  block.recent = true;
  spare.push(block);
  timer ??= setInterval(freeUnused, interval).unref();
}

/**
 * Runs what does nothing but allocate; where there is no memory, once more without what is kept here.
 * `what` is what an error says could not be allocated.
 */
export function withMemory<T>(allocate: () => T, what?: string): T {
  try {
    return allocate();
  } catch (error) {
    if (!isShortOfMemory(error)) throw error;
    freeSpare();
  }
  try {
    return allocate();
  } catch (error) {
    throw isShortOfMemory(error) ? new EflOutOfMemoryError(what, { cause: error }) : error;
  }
}

/** Frees the spare blocks of a user, or all of them. */
export function freeSpare(user?: BlockUser): void {
  keep((block) => user !== undefined && block.user !== user);
}

function freeUnused(): void {
  keep(({ recent }) => recent);
  for (const block of spare) block.recent = false;
}

function keep(wanted: (block: Block) => boolean): void {
  const before = spare;
  spare = before.filter(wanted);
  free(before.filter((block) => !wanted(block)));
  if (spare.length > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function free(blocks: readonly Block[]): void {
  for (const { buffer } of blocks) addon().freeBuffer(buffer);
}

function bytesIn(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}

function smallest(blocks: readonly Block[]): Block | undefined {
  return blocks.reduce<Block | undefined>(
    (best, block) => (best && best.buffer.byteLength <= block.buffer.byteLength ? best : block),
    undefined,
  );
}

function fits(size: number, bytes: number): boolean {
  return bytes <= size && bytes >= size * leastShare;
}

/** To eighths of a power of two, so that a call with a few rows more finds room, too. */
function roundUp(bytes: number): number {
  const step = 2 ** Math.max(Math.floor(Math.log2(Math.max(bytes, 1))) - 3, 6);
  return Math.ceil(bytes / step) * step;
}
