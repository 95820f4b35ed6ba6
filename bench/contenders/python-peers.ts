/** Peers in Python: what they are, how they are started, and what the Python here has for them. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../host/packages';

export const python = process.env['EFL_BENCH_PYTHON'] || 'python3';

/** A way to compute the same that is written in Python. */
export interface Peer {
  readonly id: string;
  readonly name: string;
  /** In bench/peers. */
  readonly module: string;
  /** Packages. */
  readonly needs: readonly string[];
}

export function peer(id: string, name: string, module: string, needs: readonly string[]): Peer {
  return { id, name, module, needs };
}

/** Not compiled, hence beside the sources; the published package has none of it. */
const folder = path.join(packageRoot, 'bench', 'peers');

/** The command of a peer: `program` is a file of bench/peers that speaks the protocol. */
export function peerCommand(program: string, args: readonly string[]): [string, ...string[]] {
  return [python, '-B', path.join(folder, program), ...args];
}

/** Why one of these peers cannot run. Asks Python once; importing it all would take seconds. */
export function reasonsAgainst(peers: readonly Peer[]): (peer: Peer) => string | undefined {
  if (!existsSync(folder)) return () => 'the Python peers are in the repository only';
  const code =
    'import sys; from importlib.util import find_spec; ' +
    'print(*(name for name in sys.argv[1:] if find_spec(name) is None))';
  const names = new Set(peers.flatMap(({ needs }) => needs));
  const { status, stdout } = spawnSync(python, ['-c', code, ...names], { encoding: 'utf8' });
  if (status !== 0) return () => `${python} does not run; EFL_BENCH_PYTHON may name another`;
  const absent = new Set(stdout.trim().split(/\s+/));
  return ({ needs }) => {
    const lacking = needs.filter((name) => absent.has(name));
    return lacking.length === 0 ? undefined : `${python} has no ${lacking.join(' and no ')}`;
  };
}
