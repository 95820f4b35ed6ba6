"""torchvision's sigmoid_focal_loss, with the statistics computed after it.

Its gamma is one number, so it solves plain Focal Loss only.
"""

from torchvision import __version__ as version  # noqa: F401: read by peer.py
from torchvision.ops import sigmoid_focal_loss

from torch_tensors import Task


def loss_of(tensors, targets, kept):
    return sigmoid_focal_loss(
        tensors.values()[kept],
        targets,
        alpha=tensors.alpha,
        gamma=tensors.base_gamma,
        reduction="sum",
    )


def prepare(problem):
    task = Task(problem, loss_of)
    if not bool((task.tensors.gamma == problem.base_gamma).all()):
        raise ValueError("takes one gamma for all classes: plain Focal Loss only")
    return task
