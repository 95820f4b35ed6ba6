"""peer.py MODULE: the process of one Python contender of the benchmark.

Answers requests on stdin, one JSON object in a line, as bench/process/protocol.ts describes them. The module
has `version` and `prepare(problem)`, which returns a task: `solve()` is timed, and `solution()` gives
loss, gradient, positive and negative sums of the last call, all but the loss as buffers.
"""

import importlib
import json
import os
import struct
import sys
import time

from memory import MemoryMark
from problem import Problem


# A call so long needs no warm-up.
LONG_MILLISECONDS = 100


class Peer:
    def __init__(self, module_name):
        self.module_name = module_name
        self.task = None
        self.mark = None
        self.last_milliseconds = 0

    def prepare(self, folder, rows, classes, baseGamma, alpha, scaleFactor):
        module = importlib.import_module(self.module_name)
        self.task = None  # the memory of the problem before
        problem = Problem(folder, rows, classes, baseGamma, alpha)
        self.mark = MemoryMark()
        self.load(module, problem)
        return {"version": module.version, "solves": True}

    def load(self, module, problem):
        self.task = module.prepare(problem)

    def check(self, folder):
        self.task.solve()
        loss, gradient, positive, negative = self.task.solution()
        write(folder, "loss.f64", struct.pack("<d", loss))
        write(folder, "gradient.f32", gradient)
        write(folder, "positive.f64", positive)
        write(folder, "negative.f64", negative)
        return {}

    def sample(self, calls):
        # Others have run in the meantime: one to fill the caches again, which a long call does itself.
        if self.last_milliseconds < LONG_MILLISECONDS:
            self.task.solve()
        start = time.perf_counter()
        for _ in range(calls):
            self.task.solve()
        milliseconds = (time.perf_counter() - start) * 1000
        self.last_milliseconds = milliseconds / calls
        return {"milliseconds": milliseconds}

    def memory(self, calls):
        for _ in range(calls):
            self.task.solve()
        return {"bytes": self.mark.growth()}


def write(folder, name, content):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def reason(error):
    """The first line: what follows it in PyTorch's messages is advice."""
    message = str(error).strip().split("\n")[0]
    return message if isinstance(error, ValueError) else f"{type(error).__name__}: {message}"


def serve(peer):
    # Answers alone go to stdout: what libraries print there would not be understood.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(peer, request.pop("request"))(**request)
        except Exception as error:
            answer = {"error": reason(error)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve(Peer(sys.argv[1]))
