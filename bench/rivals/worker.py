"""One warm process of one peer: reads a job a line (JSON), runs it, answers with seconds and peak memory.

Run with `python -P`: the folders beside this file bear the names of the libraries they call.
"""

import importlib.util
import json
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


def run_job(peer, job):
    """Timed: read the rows, fit, write what our program writes too. The imports and the first run's warming are not in it."""
    forget_peak()
    begin = time.perf_counter()
    rows = np.load(job["data"])
    results, facts = peer.fit(job["work"], rows, job["options"], job["threads"])
    for name, values in results.items():
        np.save(f"{job['out']}/{name}.npy", values)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "peak_memory": peak_memory(), "facts": facts}


def main():
    peer = load_peer(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(run_job(peer, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
