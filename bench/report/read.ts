import { readFileSync } from 'node:fs';
import type { ContenderResult, Report, Spread } from './report';

/** A stored report. Throws, naming the file, where it is none. */
export function readReport(file: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (!isReport(value)) throw new Error(`${file} is not a report of this benchmark`);
  return value;
}

/** Looks at what a comparison reads; the schema itself is for the tests. */
function isReport(value: unknown): value is Report {
  const { schema, machine, workloads, figures } = (value ?? {}) as Partial<Report>;
  const lists = [figures, workloads, ...(workloads?.map?.((one) => one?.results) ?? [])];
  return (
    schema === 1 &&
    typeof machine === 'object' &&
    machine !== null &&
    lists.every(Array.isArray) &&
    workloads!.every(({ results }) => results.every(isResult))
  );
}

function isResult(result: Partial<ContenderResult> | null): boolean {
  const { median, lower, upper }: Partial<Spread> = result?.timesCopy ?? {};
  return typeof result?.id === 'string' && [median, lower, upper].every(Number.isFinite);
}
