/** Where a program of the benchmark stores its report. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../report/report';
import { writeReport } from '../report/write';

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
