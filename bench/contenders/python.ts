import { allThreads } from '../host/threads';
import type { Contender } from './contender';
import { peer, peerCommand, reasonsAgainst, type Peer } from './python-peers';

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

const torchvision = ['torch', 'torchvision'];
const optax = ['numpy', 'jax', 'optax'];

const peers: readonly Peer[] = [
  peer('python-numpy', 'NumPy, closed form', 'numpy_closed_form', ['numpy']),
  peer('python-torch-eager', 'PyTorch eager, as in the paper', 'torch_eager', ['torch']),
  peer('python-torch-eager-tuned', 'PyTorch eager, allocator tuned', 'torch_eager', ['torch']),
  peer('python-torch-compile', 'PyTorch, torch.compile', 'torch_compile', ['torch']),
  peer('python-torchvision', 'torchvision sigmoid_focal_loss', 'torchvision_focal', torchvision),
  peer('python-optax', 'Optax sigmoid_focal_loss, jax.jit', 'optax_focal', optax),
];

const reasonAgainst = reasonsAgainst(peers);

export const contenders: readonly Contender[] = peers.map((one) => {
  const { id, name, module } = one;
  // NumPy computes elementwise on one, whatever it is given.
  const threads = id === 'python-numpy' ? 1 : allThreads;
  return {
    ...{ id, name, family: 'python', threads, alsoWithGammaTwo: true },
    mostLogits: 24_100_000, // more would take tens of times the memory of its logits
    arrays: 16,
    environment: {
      OMP_NUM_THREADS: String(threads),
      ...(id === 'python-torch-eager-tuned' && keepMemory),
    },
    program: peerCommand('peer.py', [module]),
    missing: reasonAgainst(one),
  };
});
