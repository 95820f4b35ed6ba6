import { allThreads } from '../host/threads';
import type { Contender } from './contender';
import { peerCommand, reasonWithout } from './python-packages';

/** A module in bench/peers, and what has to be installed for it. */
interface Peer extends Pick<
  Contender,
  'id' | 'name' | 'threads' | 'mostLogits' | 'arrays' | 'environment'
> {
  readonly module: string;
  readonly needs: readonly string[];
}

/**
 * Large temporaries are given back to the system and faulted in again, page by page, in every step:
 * that is most of the time of PyTorch as installed. So the allocator keeps what it has, in huge pages.
 */
const keepMemory = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: String(2 ** 40),
  MALLOC_TOP_PAD_: String(2 ** 26),
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};

/** More would take tens of times the memory of its logits. */
const mostLogits = 24_100_000;
const shared = { threads: allThreads, mostLogits, arrays: 16 };

const peers: readonly Peer[] = [
  {
    id: 'python-numpy',
    name: 'NumPy, closed form',
    module: 'numpy_closed_form',
    needs: ['numpy'],
    ...shared,
    threads: 1, // it computes elementwise on one, whatever it is given
  },
  {
    id: 'python-torch-eager',
    name: 'PyTorch eager, as in the paper',
    module: 'torch_eager',
    needs: ['torch'],
    ...shared,
  },
  {
    id: 'python-torch-eager-tuned',
    name: 'PyTorch eager, allocator tuned',
    module: 'torch_eager',
    needs: ['torch'],
    ...shared,
    environment: keepMemory,
  },
  {
    id: 'python-torch-compile',
    name: 'PyTorch, torch.compile',
    module: 'torch_compile',
    needs: ['torch'],
    ...shared,
  },
  {
    id: 'python-torchvision',
    name: 'torchvision sigmoid_focal_loss',
    module: 'torchvision_focal',
    needs: ['torch', 'torchvision'],
    ...shared,
  },
  {
    id: 'python-optax',
    name: 'Optax sigmoid_focal_loss, jax.jit',
    module: 'optax_focal',
    needs: ['numpy', 'jax', 'optax'],
    ...shared,
  },
];

const reason = reasonWithout(peers.map(({ needs }) => needs));

export const contenders: readonly Contender[] = peers.map(
  ({ module, needs, environment, ...peer }) => ({
    ...peer,
    family: 'python',
    alsoWithGammaTwo: true,
    environment: { OMP_NUM_THREADS: String(peer.threads), ...environment },
    program: peerCommand('peer.py', [module]),
    missing: reason(needs),
  }),
);
