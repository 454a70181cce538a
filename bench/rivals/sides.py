"""The two sides of a comparison: our program as a process, and a warm process of a library."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import time

import machine
import rows

# Where each peer's version stands. What is not installed is skipped by name.
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "faiss": "faiss-cpu",
    "pynndescent": "pynndescent",
    "hdbscan": "hdbscan",
    "fast_hdbscan": "fast_hdbscan",
    "pyfim": "pyfim",
    "pyod": "pyod",
    "opentsne": "openTSNE",
    "umap": "umap-learn",
}


def version(peer):
    """None where it is not installed."""
    try:
        return importlib.metadata.version(DISTRIBUTIONS[peer])
    except importlib.metadata.PackageNotFoundError:
        return None


def environment(peer):
    """What suits the peer. faiss waits asleep: spinning, it is several times slower as soon as anything else runs on the machine."""
    given = {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    if peer != "faiss":
        return given
    given["OMP_WAIT_POLICY"] = "passive"
    newer = pathlib.Path(sys.prefix) / "newer_blas.so"
    if newer.exists():
        given["LD_PRELOAD"] = str(newer)
    elif machine.has_avx512():  # the OpenBLAS of its own wheel takes an SSE kernel on an AMD that it does not know
        given["OPENBLAS_CORETYPE"] = "SkylakeX"
    return given


class Peer:
    """A warm process of one library."""

    def __init__(self, name, row, folder, threads):
        self.row, self.folder, self.threads = row, folder / name, threads
        self.folder.mkdir()
        worker = pathlib.Path(__file__).resolve().parent / "worker.py"
        limits = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "NUMBA")}
        command = [sys.executable, "-P", worker, name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment(name) | limits)

    def run(self, options):
        job = {"work": self.row.work, "data": options["data"], "options": options, "threads": self.threads, "out": str(self.folder)}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the peer's process ended; its message stands above")
        answer = json.loads(line)
        return answer, rows.theirs_of(self.folder, answer["facts"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def run_ours(program, row, options, folder, threads):
    command = [program, *row.command(options), "-q", "--overwrite", "--threads", threads, "-o", folder]
    begin = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, env=environment("ours"))
    whole = time.perf_counter() - begin
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    taken = {"seconds": whole, "run": facts["seconds"], "fit": facts["stages"].get("fit"), "peak_memory": facts["peak_memory"]}
    return taken, row.read(folder)
