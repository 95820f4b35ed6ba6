/** The sets of kernels of this machine, one after the other in this process. */
import { addon } from '../../lib/binding/load';

const KNOWN = ['avx512', 'avx2', 'baseline', 'scalar'] as const;

function chosen(): { threads: number; kernels: string } {
  return { threads: addon().cpuThreads(), kernels: addon().cpuKernels() };
}

/** What `compute` returns with each set that works here. Leaves the choice as it was. */
export function withEachKernels<T>(compute: (kernels: string) => T): T[] {
  const before = chosen();
  try {
    return KNOWN.filter((kernels) => addon().configure(1, kernels)).map((kernels) => {
      addon().configure(1, kernels);
      return compute(kernels);
    });
  } finally {
    addon().configure(before.threads, before.kernels);
  }
}

/** Whether figures measured here are those of every set the documents speak of. */
export function allKernelsWork(): boolean {
  return withEachKernels((kernels) => kernels).length === KNOWN.length;
}
