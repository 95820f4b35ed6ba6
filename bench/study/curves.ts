/** Who is studied: the package with chosen kernels and threads, and copies to compare it with. */
import path from 'node:path';
import { listContenders, type Listed } from '../contenders';
import { threadCount } from '../report/format';

/** One curve: a contender and what the legend calls it. */
export interface Curve {
  readonly name: string;
  readonly contender: Listed;
}

const listed = listContenders([path.join(__dirname, `ways${path.extname(__filename)}`)]);

function named(id: string): Listed | undefined {
  return listed.find((contender) => contender.id === id);
}

/** The package with its best kernels, or with those named. */
export function ours(threads: number, kernels?: string): Curve {
  const prefix = kernels === undefined ? 'ours-' : `ours-${kernels}-`;
  const contender = listed.find(({ id }) => id.startsWith(prefix))!;
  const name = `${kernels ?? 'this package'}, ${threadCount(threads)}`;
  return { name, contender: withThreads(contender, threads) };
}

/** Copies are there for the numbers of threads that the benchmark compares. */
export function copy(threads: number): Curve[] {
  const contender = named(`copy-${threads}`);
  return contender === undefined ? [] : [{ name: `copy, ${threadCount(threads)}`, contender }];
}

/** One of ways.ts, on one thread. */
export function way(id: string): Curve {
  const contender = named(id)!;
  return { name: contender.name, contender: withThreads(contender, 1) };
}

function withThreads(contender: Listed, threads: number): Listed {
  const environment = { ...contender.environment, EFL_NUM_THREADS: String(threads) };
  return { ...contender, threads, environment };
}
