"""torch.compile on the GPU: the functions of bench/peers/torch_compile.py, in a captured graph."""

import torch

from torch_compile import collect_grad, loss_of
from torch_tensors import Tensors, buffer_of, version  # noqa: F401: the version is read from here

capturable = True

# Once for all buffers: they have the same shapes.
compiled_loss = torch.compile(loss_of, dynamic=False)
compiled_collect_grad = torch.compile(collect_grad, dynamic=False)


class Compiled:
    def __init__(self, problem):
        self.tensors = Tensors(problem)

    def solve(self):
        tensors = self.tensors
        constants = tensors.gamma, tensors.base_gamma, tensors.alpha
        loss = compiled_loss(tensors.logits, tensors.labels, *constants)
        (self.gradient,) = torch.autograd.grad(loss, tensors.logits)
        self.loss = loss.detach()
        self.statistics = compiled_collect_grad(self.gradient, tensors.labels)

    def solution(self):
        positive, negative = (buffer_of(sums.double()) for sums in self.statistics)
        return self.loss.item(), buffer_of(self.gradient.float()), positive, negative


prepare = Compiled
