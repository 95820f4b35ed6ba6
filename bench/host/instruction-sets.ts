import { spawnSync } from 'node:child_process';

/** Values of `EFL_CPU_ISA`, best first. The package refuses those that it or the machine has not. */
const known = ['avx512', 'avx2', 'neon', 'baseline', 'scalar'];

const probe = "process.stdout.write(require(process.argv[1]).backends()[0].detail.split(' ')[0])";

let working: readonly string[] | undefined;

/** The kernels to compare: those `EFL_CPU_ISA` names, or all that work here. */
export function instructionSets(): readonly string[] {
  const chosen = process.env['EFL_CPU_ISA'];
  if (chosen) return [chosen];
  working ??= known.filter((name) => works(name));
  return working;
}

/** Asked in a process of its own, because a process chooses its kernels once. */
function works(name: string): boolean {
  const env = { ...process.env, EFL_CPU_ISA: name };
  const { stdout } = spawnSync(process.execPath, ['-e', probe, require.resolve('../..')], {
    env,
    encoding: 'utf8',
  });
  return stdout === name;
}
