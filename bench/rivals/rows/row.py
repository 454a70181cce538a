"""What a comparison is, and what the kinds of rows share: made data, real data, our program's files."""

import dataclasses
import json
import os
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = pathlib.Path(os.environ.get("SLUICE_DATA", ROOT.parent / "shared/data"))


class Absent(Exception):
    """A real data set that is not on this machine: the row is skipped by name."""


def real(*parts):
    path = DATA.joinpath(*parts)
    if not path.exists():
        raise Absent(f"data set {'/'.join(parts)} is not here; SLUICE_DATA names the folder")
    return path


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison. `make` writes the data into a folder and gives the options; `check` compares two results."""

    id: str
    title: str
    work: str  # what the peers call the function that does it
    peers: tuple  # without any, ours stands alone, and is checked against a plain reference
    make: object  # (folder) -> options, among them "data"
    command: object  # (options) -> arguments of our program
    read: object  # (folder of ours) -> result: arrays by the peers' names, and "facts"
    check: object  # (options, ours, theirs) -> (equal, words); both are results
    limit: object = lambda *_: None  # (options, facts of ours) -> ("sgemm" | "dgemm" | "copy", operations or bytes), or None
    seeded: bool = False  # each pair takes another seed, and quality is judged over all pairs
    pairs: tuple = (3, 5)  # with --quick and without
    when: tuple = (True, False)  # for which values of --quick it is run


def mixture(rows, columns, centers, spread, seed):
    """Overlapping normal clouds of unit deviation whose centres deviate by `spread`: neither trivial nor without structure."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(scale=spread, size=(centers, columns)).astype(np.float32)
    return middle[rng.integers(centers, size=rows)] + rng.standard_normal((rows, columns), dtype=np.float32)


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))["result"]


def reads(**files):
    """A reader of arrays by the peers' names for them; the number of passes becomes a fact."""

    def read(folder):
        summary = summary_of(folder)
        found = {name: np.load(folder / file, mmap_mode="r") for name, file in files.items()}
        return found | {"facts": {"passes": summary["n_iter"]} if "n_iter" in summary else {}}

    return read


def read_tensor(path, name):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + size])[name]
    begin, end = entry["data_offsets"]
    kind = {"F64": np.float64, "F32": np.float32}[entry["dtype"]]
    return np.frombuffer(data[8 + size + begin : 8 + size + end], kind).reshape(entry["shape"])
