import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Resident memory of this process, and its highest mark since. */
export class MemoryMark {
  readonly #before: number;
  readonly #reset: boolean;

  constructor() {
    collectGarbage(); // what becomes free later would hide as much of what is needed then
    this.#before = process.memoryUsage.rss();
    this.#reset = resetPeak();
  }

  /** The peak since this mark was made, beyond what was resident then; null where it is unknown. */
  growth(): number | null {
    const peak = readPeak();
    // Where the peak could not be reset, one from before the mark says nothing.
    if (peak === undefined || (!this.#reset && peak <= this.#before)) return null;
    return Math.max(0, peak - this.#before);
  }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Linux forgets the peak on request. */
function resetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

function readPeak(): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
