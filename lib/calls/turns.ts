/** Copying much without holding up the event loop: a share of it in each turn. */
import { Promise, setImmediate } from '../intrinsics';

/**
 * Takes half a millisecond, or two where the memory that is written to is fresh; more where all cores
 * are at work on the next call.
 */
export const bytesOfTurn = 2 * 2 ** 20;

let left = bytesOfTurn;
let last: Promise<void> | undefined;

/**
 * Copies part after part, `bytes` of each at most `bytesOfTurn`, and no more than that in one turn
 * for all callers together. Who comes first is served first, to the end; the next one begins in
 * another turn, when the first has been told.
 */
export async function copyInTurns<Part extends { readonly bytes: number }>(
  parts: Iterable<Part>,
  copy: (part: Part) => void,
): Promise<void> {
  const before = last;
  let finish!: () => void;
  const own = (last = new Promise<void>((resolve) => (finish = resolve)));
  try {
    if (before) {
      await before;
      await nextTurn();
    }
    for (const part of parts) {
      while (!spend(part.bytes)) await nextTurn();
      copy(part);
    }
  } finally {
    if (last === own) last = undefined;
    finish();
  }
}

/** False where the turn has no room for so many bytes any more. */
function spend(bytes: number): boolean {
  if (bytes > left) return false;
  if (left === bytesOfTurn) setImmediate(() => (left = bytesOfTurn));
  left -= bytes;
  return true;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
