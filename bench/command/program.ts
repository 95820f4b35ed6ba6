/** How a program of the benchmark starts, ends and stores its report. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../host/message';
import type { Report } from '../report/report';
import { writeReport } from '../report/write';

/** Exit code: something was measured, but has a fault. */
export const faulty = 1;
/** Exit code: nothing was measured. */
export const refused = 2;

/** Where a report goes. */
interface Places {
  readonly json?: string;
  readonly out?: string;
}

/** Before the work: where nothing can be stored is known then. */
export function makeRoom({ json, out }: Places): void {
  if (json !== undefined) mkdirSync(path.dirname(json), { recursive: true });
  if (out !== undefined) mkdirSync(out, { recursive: true });
}

export async function store(report: Report, { json, out }: Places): Promise<void> {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  if (out === undefined) return;
  console.error(`Written: ${(await writeReport(report, out)).join(', ')}`);
}

/** Runs a program, which resolves to its exit code. */
export function runProgram(name: string, main: (args: readonly string[]) => Promise<number>): void {
  endOnSignals();
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(`${name}: ${messageOf(error)}`);
      process.exit(refused); // whatever still runs
    },
  );
}

/**
 * Ended by a signal, a program still ends its children and removes its files, which 'exit' does. A
 * terminal and `efl bench` may both send the signal: the second must not cut that short.
 */
function endOnSignals(): void {
  let ending = false;
  for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1 })) {
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      process.exit(128 + number);
    });
  }
}
