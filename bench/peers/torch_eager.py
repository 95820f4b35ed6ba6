"""PyTorch, operation by operation, as the listing of the paper has it.

Rows that are ignored are removed; focusing and weighting factors are constants for the derivative.
The probability is rounded before its logarithm is taken, which costs accuracy, as it does there.
"""

from functools import partial

import torch

from torch_tensors import Task, version  # noqa: F401: the version is read from here


def loss_of(tensors, targets, kept):
    probability = torch.sigmoid(tensors.values()[kept])
    of_target = probability * targets + (1 - probability) * (1 - targets)
    focusing = tensors.gamma.expand(len(targets), -1).detach()
    weighting = focusing / tensors.base_gamma
    entropy = -torch.log(of_target)
    alpha = tensors.alpha * targets + (1 - tensors.alpha) * (1 - targets)
    return (alpha * weighting * torch.pow(1 - of_target, focusing) * entropy).sum()


prepare = partial(Task, loss_of=loss_of)
