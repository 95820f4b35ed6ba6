/** The Python that peers run with, and what it has for them. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../host/packages';

export const python = process.env['EFL_BENCH_PYTHON'] || 'python3';

/** Not compiled, hence beside the sources; the published package has none of it. */
const folder = path.join(packageRoot, 'bench', 'peers');

/** The command of a peer: `program` is a file of bench/peers that speaks the protocol. */
export function peerCommand(program: string, args: readonly string[]): [string, ...string[]] {
  return [python, '-B', path.join(folder, program), ...args];
}

/** Why a peer with such needs cannot run. Asks Python once; importing it all would take seconds. */
export function reasonWithout(
  allNeeds: readonly (readonly string[])[],
): (needs: readonly string[]) => string | undefined {
  if (!existsSync(folder)) return () => 'the Python peers are in the repository only';
  const code =
    'import sys; from importlib.util import find_spec; ' +
    'print(*(name for name in sys.argv[1:] if find_spec(name) is None))';
  const names = new Set(allNeeds.flat());
  const { status, stdout } = spawnSync(python, ['-c', code, ...names], { encoding: 'utf8' });
  if (status !== 0) return () => `${python} does not run; EFL_BENCH_PYTHON may name another`;
  const absent = new Set(stdout.trim().split(/\s+/));
  return (needs) => {
    const lacking = needs.filter((name) => absent.has(name));
    return lacking.length === 0 ? undefined : `${python} has no ${lacking.join(' and no ')}`;
  };
}
