"""Resident memory of this process, as bench/host/memory.ts has it for Node.js."""


class MemoryMark:
    def __init__(self):
        self.before = status("VmRSS")
        self.reset = forget_peak()

    def growth(self):
        """Bytes of the peak since the mark beyond what was resident then, or None."""
        peak = status("VmHWM")
        if peak is None or self.before is None:
            return None  # only Linux tells
        if not self.reset and peak <= self.before:
            return None  # a peak from before the mark says nothing
        return max(0, peak - self.before)


def forget_peak():
    """Linux forgets the peak on request."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        return True
    except OSError:
        return False


def status(name):
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
