"""gpu_peer.py MODULE TYPE BUFFERS DEVICE: the process of one peer of the GPU benchmark.

Speaks the protocol of peer.py. There are as many copies of the problem as buffers, used in turn, so
that no cache holds the next one; a sample goes through all of them, and its time is taken on the
device, which is cuda, or cpu for tests. Where the module is `capturable`, they are captured as a CUDA
graph.
"""

import sys
import time

import torch

from peer import Peer, serve

WARM_UP_CALLS = 3


class GpuPeer(Peer):
    def __init__(self, module_name, dtype, buffers, device):
        super().__init__(module_name)
        self.dtype = dtype
        self.buffers = int(buffers)
        self.device = device
        self.tasks = []
        self.graph = None

    def load(self, module, problem):
        self.graph, self.tasks = None, []  # the memory of the problem before
        problem.device, problem.dtype = self.device, self.dtype
        self.tasks = [module.prepare(problem) for _ in range(self.buffers)]
        self.task = self.tasks[0]
        for _ in range(WARM_UP_CALLS):
            self.solve_all()  # what is compiled, is compiled now
        if self.device == "cuda" and getattr(module, "capturable", False):
            self.graph = self.capture()

    def solve_all(self):
        for task in self.tasks:
            task.solve()

    def capture(self):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self.solve_all()  # takes the memory that the calls need
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.solve_all()
        return graph

    def sample(self, calls):
        if calls != len(self.tasks):
            raise ValueError(f"a sample is {len(self.tasks)} calls, one of each buffer")
        run = self.graph.replay if self.graph else self.solve_all
        return {"milliseconds": device_time(run) if self.device == "cuda" else host_time(run)}


def device_time(run):
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end)


def host_time(run):
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    serve(GpuPeer(*sys.argv[1:]))
