"""PyTorch compiled by torch.compile: the stable form of the loss, and the statistics.

Ignored rows are masked, not removed, and targets are compared, not stored: shapes stay the same from
step to step and everything can be fused.
"""

import torch
from torch.nn.functional import softplus

from torch_tensors import Tensors, buffer_of, version  # noqa: F401: the version is read from here


def is_positive(labels, classes):
    return labels[:, None] == torch.arange(1, classes + 1, device=labels.device)


def loss_of(logits, labels, gamma, base_gamma, alpha):
    positive = is_positive(labels, logits.shape[1])
    logits = logits.float()  # as under autocast, whatever their own type
    u = torch.where(positive, -logits, logits)
    factor = torch.where(positive, alpha, 1 - alpha) * (gamma / base_gamma)
    elements = factor * torch.exp(-gamma * softplus(-u)) * softplus(u)
    return torch.where(labels[:, None] >= 0, elements, 0).sum()


def collect_grad(gradient, labels):
    positive = is_positive(labels, gradient.shape[1])
    magnitude = gradient.float().abs()
    return torch.where(positive, magnitude, 0).sum(0), torch.where(positive, 0, magnitude).sum(0)


class Compiled:
    def __init__(self, problem):
        torch._dynamo.reset()  # the shapes of the problem before must not make these dynamic
        self.tensors = Tensors(problem)
        self.loss_of = torch.compile(loss_of, dynamic=False)
        self.collect_grad = torch.compile(collect_grad, dynamic=False)

    def solve(self):
        tensors = self.tensors
        tensors.logits.grad = None
        constants = tensors.gamma, tensors.base_gamma, tensors.alpha
        self.loss = self.loss_of(tensors.logits, tensors.labels, *constants)
        self.loss.backward()
        self.statistics = self.collect_grad(tensors.logits.grad, tensors.labels)

    def solution(self):
        positive, negative = (buffer_of(sums.double()) for sums in self.statistics)
        return self.loss.item(), buffer_of(self.tensors.logits.grad), positive, negative


prepare = Compiled
