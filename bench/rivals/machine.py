"""What the machine is and what it can do: its name for folders, its threads, the peak of sgemm and dgemm, the speed of a copy."""

import os
import re
import subprocess
import time


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return os.uname().machine


def slug():
    return re.sub(r"[^a-z0-9]+", "-", cpu_model().lower()).strip("-")


def has_avx512():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        return any(line.startswith("flags") and " avx512f " in line + " " for line in lines)


def usable_threads():
    return len(os.sched_getaffinity(0))


def load():
    return os.getloadavg()[0]


def revision(root):
    found = subprocess.run(["git", "-C", root, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def best_seconds(work, repeats=15):
    work()
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def peak_flops(dtype, threads):
    """Best of a few products of 1536 x 1536 matrices with numpy's own BLAS: multiplications and additions a second."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    side = 1536
    a = np.random.default_rng(0).normal(size=(side, side)).astype(dtype)
    out = np.empty_like(a)
    with threadpool_limits(threads):
        return 2.0 * side**3 / best_seconds(lambda: np.matmul(a, a, out=out))


def copy_bytes():
    """Bytes a second that one thread reads and writes in copying 256 MB to memory that is there already."""
    import numpy as np

    source = np.ones(32 << 20)
    target = np.zeros_like(source)
    return 2.0 * source.nbytes / best_seconds(lambda: np.copyto(target, source), 5)


def rate(kind, threads):
    if kind == "copy":
        return copy_bytes()
    return peak_flops({"sgemm": "f4", "dgemm": "f8"}[kind], threads)


if __name__ == "__main__":
    print(slug())
