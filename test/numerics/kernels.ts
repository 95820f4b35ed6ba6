/** The sets of kernels of this machine, one after the other in this process. */
import { addon } from '../../lib/binding/load';

const KNOWN = ['avx512', 'avx2', 'baseline', 'scalar'] as const;

function chosen(): { threads: number; kernels: string } {
  return { threads: addon().cpuThreads(), kernels: addon().cpuKernels() };
}

/** What `compute` returns with each set that works here. Leaves the choice as it was. */
export function withEachKernels<T>(compute: (kernels: (typeof KNOWN)[number]) => T): T[] {
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
  const working = withEachKernels((kernels) => kernels);
  const missing = KNOWN.filter((kernels) => !working.includes(kernels));
  if (missing.length === 0) return true;
  const reason = `no kernels ${missing.join(', ')} on this machine`;
  if (process.env['EFL_REQUIRE_KERNELS'] === '1') throw new Error(reason);
  console.warn(`Bounds may be loose here, which is not tested: ${reason}.`);
  return false;
}
