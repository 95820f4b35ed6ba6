"""A problem as the benchmark stores it: raw little-endian arrays, read without any library."""

import os


class Problem:
    """Labels: 0 is background, k is class k - 1, -1 is ignored. Gamma: one for each class.

    `device` and `dtype` say where and in which type the logits are to be computed with.
    """

    device = "cpu"
    dtype = "float32"

    def __init__(self, folder, rows, classes, base_gamma, alpha):
        self.rows = rows
        self.classes = classes
        self.base_gamma = base_gamma
        self.alpha = alpha
        self.logits = read(folder, "logits.f32", 4 * rows * classes)
        self.labels = read(folder, "labels.i32", 4 * rows)
        self.gamma = read(folder, "gamma.f64", 8 * classes)


def read(folder, name, size):
    content = bytearray(size)
    with open(os.path.join(folder, name), "rb") as file:
        if file.readinto(content) != size:
            raise ValueError(f"{name} is too short")
    return content
