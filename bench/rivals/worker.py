"""One warm process of one peer: reads a job a line (JSON), runs it, answers with seconds and peak memory.

Run with `python -P`: the folders beside this file bear the names of the libraries they call.
"""

import importlib.util
import json
import os
import pathlib
import sys
import time

import numpy as np


def load_peer(name):
    path = pathlib.Path(__file__).resolve().parent / name / "peer.py"
    spec = importlib.util.spec_from_file_location(f"peer_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def forget_peak():
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def peak_memory():
    with open("/proc/self/status", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def read(path):
    """Rows of an npy file, or baskets of a text, whose items may stay words."""
    if path.endswith(".npy"):
        return np.load(path)
    with open(path, encoding="ascii") as lines:
        return [line.split() for line in lines]


def write(folder, name, values):
    """Arrays as npy; item sets with their counts as a line of text each."""
    if isinstance(values, np.ndarray):
        np.save(f"{folder}/{name}.npy", values)
        return
    with open(f"{folder}/{name}.csv", "w", encoding="ascii") as file:
        file.writelines([f"{' '.join(items)},{count}\n" for items, count in values])


def run_job(peer, job):
    """Timed: read the rows, fit, write what our program writes too. The imports and the first run's warming are not in it."""
    forget_peak()
    begin = time.perf_counter()
    rows = read(job["data"])
    ready = time.perf_counter()
    results, facts = peer.fit(job["work"], rows, job["options"], job["threads"])
    fitted = time.perf_counter()
    for name, values in results.items():
        write(job["out"], name, values)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "fit": fitted - ready, "peak_memory": peak_memory(), "facts": facts}


def main():
    # Answers alone go where they are awaited; what a library prints goes to standard error.
    with os.fdopen(os.dup(1), "w", encoding="ascii") as answers:
        os.dup2(2, 1)
        peer = load_peer(sys.argv[1])
        for line in sys.stdin:
            print(json.dumps(run_job(peer, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
