"""PyTorch compiled by torch.compile: the stable form of the loss, and the statistics.

Ignored rows are masked, not removed, and targets are compared, not stored: shapes stay the same from
step to step and everything can be fused.
"""

import torch
from torch.nn.functional import softplus

from torch_tensors import Tensors, buffer_of, version  # noqa: F401: the version is read from here

capturable = True


def is_positive(labels, classes):
    return labels[:, None] == torch.arange(1, classes + 1, device=labels.device)


# Each shape is compiled for itself, once for all tasks that have it.
@torch.compile(dynamic=False)
def loss_of(logits, labels, gamma, base_gamma, alpha):
    positive = is_positive(labels, logits.shape[1])
    logits = logits.float()  # as under autocast, whatever their own type
    u = torch.where(positive, -logits, logits)
    factor = torch.where(positive, alpha, 1 - alpha) * (gamma / base_gamma)
    elements = factor * torch.exp(-gamma * softplus(-u)) * softplus(u)
    return torch.where(labels[:, None] >= 0, elements, 0).sum()


@torch.compile(dynamic=False)
def collect_grad(gradient, labels):
    positive = is_positive(labels, gradient.shape[1])
    magnitude = gradient.float().abs()
    return torch.where(positive, magnitude, 0).sum(0), torch.where(positive, 0, magnitude).sum(0)


class Compiled:
    def __init__(self, problem):
        self.tensors = Tensors(problem)

    def solve(self):
        tensors = self.tensors
        constants = tensors.gamma, tensors.base_gamma, tensors.alpha
        loss = loss_of(tensors.logits, tensors.labels, *constants)
        (self.gradient,) = torch.autograd.grad(loss, tensors.logits)
        self.loss = loss.detach()
        self.statistics = collect_grad(self.gradient, tensors.labels)

    def solution(self):
        positive, negative = (buffer_of(sums.double()) for sums in self.statistics)
        return self.loss.item(), buffer_of(self.gradient.float()), positive, negative


prepare = Compiled
