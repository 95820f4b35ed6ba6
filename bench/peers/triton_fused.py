"""A Triton kernel of the same fusion: logits read once, gradient written once, loss and statistics on
the way.

A program has a tile of classes and every so many rows. It keeps the sums of its columns in registers
and writes them once; one reduction over the programs follows. The arithmetic is that of this package's
kernels: with u = x for a negative and -x for a positive, and t = exp(-|u|),

    softplus(u) = max(u, 0) + log1p(t)
    -log sigmoid(u) = max(-u, 0) + log1p(t)
    L = w sigmoid(u)^gamma softplus(u)
    dL/du = w sigmoid(u)^gamma (gamma sigmoid(-u) softplus(u) + sigmoid(u))

with log1p by a polynomial, since the hardware's logarithm of 1 + t loses the digits of easy negatives.
"""

import torch
import triton
import triton.language as tl

from torch_tensors import Tensors, buffer_of

version = f"{triton.__version__} (torch {torch.__version__})"
capturable = True

# Programs in the grid where a tile has 128 classes: several for each multiprocessor.
PROGRAMS = 2560
FEWEST_CHUNKS = 128
MOST_CHUNKS = 2048

CONFIGURATIONS = [
    triton.Config({"BLOCK_ROWS": rows, "BLOCK_CLASSES": classes}, num_warps=warps)
    for rows, classes, warps in [
        (64, 16, 4),
        (32, 16, 4),
        (32, 32, 4),
        (16, 64, 4),
        (8, 128, 4),
        (16, 128, 4),
        (16, 128, 8),
        (4, 256, 4),
        (8, 256, 8),
        (4, 512, 8),
    ]
]


@triton.jit
def log1p_unit(t):
    """For t in [0, 1]; relative error 3e-8."""
    value = t * 5.232694093e-03 - 2.950523980e-02
    value = value * t + 7.822595537e-02
    value = value * t - 1.366324574e-01
    value = value * t + 1.910600662e-01
    value = value * t - 2.484298348e-01
    value = value * t + 3.331909776e-01
    value = value * t - 4.999949038e-01
    return (value * t + 1.0) * t


@triton.autotune(configs=CONFIGURATIONS, key=["rows", "classes", "element_bytes"])
@triton.jit
def fused_kernel(
    logits,
    labels,
    gamma,
    gradient,
    partial,
    rows,
    classes,
    element_bytes,
    base_gamma,
    alpha,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_CLASSES: tl.constexpr,
):
    chunk = tl.program_id(0)
    chunks = tl.num_programs(0)
    columns = tl.program_id(1) * BLOCK_CLASSES + tl.arange(0, BLOCK_CLASSES)
    inside = columns < classes
    focusing = tl.load(gamma + columns, mask=inside, other=1.0)[None, :]
    of_negative = (1 - alpha) * focusing / base_gamma
    of_positive = alpha * focusing / base_gamma
    exponent = focusing * -1.4426950408889634

    losses = tl.zeros([BLOCK_ROWS, BLOCK_CLASSES], tl.float32)
    positives = tl.zeros([BLOCK_ROWS, BLOCK_CLASSES], tl.float32)
    negatives = tl.zeros([BLOCK_ROWS, BLOCK_CLASSES], tl.float32)
    for first in range(chunk * BLOCK_ROWS, rows, chunks * BLOCK_ROWS):
        row = first + tl.arange(0, BLOCK_ROWS)
        label = tl.load(labels + row, mask=row < rows, other=-1)[:, None]
        place = row.to(tl.int64)[:, None] * classes + columns[None, :]
        mask = (row < rows)[:, None] & inside[None, :]
        x = tl.load(logits + place, mask=mask, other=0.0, eviction_policy="evict_first")
        x = x.to(tl.float32)

        is_positive = label == columns[None, :] + 1
        u = tl.where(is_positive, -x, x)
        t = tl.exp2(tl.abs(u) * -1.4426950408889634)
        log1p = log1p_unit(t)
        larger = 1.0 / (1.0 + t)
        smaller = t * larger
        sigmoid = tl.where(u > 0, larger, smaller)
        opposite = tl.where(u > 0, smaller, larger)
        entropy = tl.maximum(u, 0.0) + log1p
        weight = tl.where(is_positive, of_positive, of_negative)
        weight = tl.where(mask & (label >= 0), weight, 0.0)
        modulated = weight * tl.exp2(exponent * (tl.maximum(-u, 0.0) + log1p))
        magnitude = modulated * (focusing * opposite * entropy + sigmoid)

        losses += modulated * entropy
        positives += tl.where(is_positive, magnitude, 0.0)
        negatives += tl.where(is_positive, 0.0, magnitude)
        signed = tl.where(is_positive, -magnitude, magnitude)
        signed = signed.to(gradient.dtype.element_ty)
        tl.store(gradient + place, signed, mask=mask, cache_modifier=".cs")

    own = partial + chunk * classes + columns
    size = chunks * classes
    tl.store(own, tl.sum(losses, 0), mask=inside)
    tl.store(own + size, tl.sum(positives, 0), mask=inside)
    tl.store(own + 2 * size, tl.sum(negatives, 0), mask=inside)


class Fused:
    def __init__(self, problem):
        self.tensors = Tensors(problem)
        self.labels = self.tensors.labels.int()
        self.logits = self.tensors.logits.detach()
        self.gradient = torch.empty_like(self.logits)
        tiles = triton.cdiv(problem.classes, 128)
        self.chunks = min(MOST_CHUNKS, max(FEWEST_CHUNKS, triton.cdiv(PROGRAMS, tiles)))
        shape = (3, self.chunks, problem.classes)
        self.partial = torch.empty(shape, dtype=torch.float32, device=problem.device)

    def solve(self):
        tensors = self.tensors
        rows, classes = self.logits.shape

        def grid(configuration):
            return self.chunks, triton.cdiv(classes, configuration["BLOCK_CLASSES"])

        fused_kernel[grid](
            self.logits,
            self.labels,
            tensors.gamma,
            self.gradient,
            self.partial,
            rows,
            classes,
            self.logits.element_size(),
            float(tensors.base_gamma),
            float(tensors.alpha),
        )
        self.sums = self.partial.sum(1)
        self.loss = self.sums[0].sum()

    def solution(self):
        positive, negative = (buffer_of(sums.double()) for sums in self.sums[1:])
        return self.loss.item(), buffer_of(self.gradient.float()), positive, negative


prepare = Fused
