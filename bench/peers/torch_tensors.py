"""What the PyTorch peers share: a problem as tensors, targets, statistics from a gradient."""

import os

import torch

version = torch.__version__

if "OMP_NUM_THREADS" in os.environ:
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


class Tensors:
    def __init__(self, problem):
        shape, device = (problem.rows, problem.classes), problem.device
        logits = torch.frombuffer(problem.logits, dtype=torch.float32).reshape(shape)
        logits = logits.to(device, getattr(torch, problem.dtype))
        self.logits = logits.detach().requires_grad_(True)
        self.labels = torch.frombuffer(problem.labels, dtype=torch.int32).to(device).long()
        self.gamma = torch.frombuffer(problem.gamma, dtype=torch.float64).float().to(device)
        self.base_gamma = problem.base_gamma
        self.alpha = problem.alpha

    def values(self):
        """The logits to compute with: as under autocast, in float32 whatever their own type."""
        return self.logits.float()


def one_hot(labels, classes):
    """Rows of zeros but for the column of the row's class; background has none."""
    with_background = torch.zeros(len(labels), classes + 1, device=labels.device)
    with_background.scatter_(1, labels.clamp(min=0)[:, None], 1)
    return with_background[:, 1:]


def collect_grad(gradient, targets):
    """Sums of |gradient| over positives and negatives, for each class."""
    magnitude = gradient.detach().float().abs()
    return (magnitude * targets).sum(0), (magnitude * (1 - targets)).sum(0)


class Task:
    """Loss by `loss_of(tensors, targets, kept)`, gradient by autograd, statistics after it."""

    def __init__(self, problem, loss_of):
        self.tensors = Tensors(problem)
        self.loss_of = loss_of

    def solve(self):
        labels, logits = self.tensors.labels, self.tensors.logits
        logits.grad = None
        kept = labels >= 0
        targets = one_hot(labels, logits.shape[1])[kept]
        self.loss = self.loss_of(self.tensors, targets, kept)
        self.loss.backward()
        self.statistics = collect_grad(logits.grad[kept], targets)

    def solution(self):
        positive, negative = (buffer_of(sums.double()) for sums in self.statistics)
        return self.loss.item(), buffer_of(self.tensors.logits.grad.float()), positive, negative


def buffer_of(tensor):
    """Its bytes, also where NumPy is not installed."""
    content = bytearray(tensor.numel() * tensor.element_size())
    torch.frombuffer(content, dtype=tensor.dtype).copy_(tensor.detach().reshape(-1))
    return content
