"""The comparisons: of each its data, the command of ours, the peers, what the quality is and what limits the machine."""

import pathlib

import numpy as np

from . import anomaly, density, itemsets, kmeans, linear, maps, mixture, neighbors
from .row import Absent, Row

__all__ = ["Absent", "ROWS", "Row", "theirs_of"]

ROWS = [row for kind in (kmeans, linear, density, neighbors, mixture, itemsets, anomaly, maps) for row in kind.ROWS]


def theirs_of(folder, facts):
    """A peer's result: arrays by name, its facts, and the folder where longer lists lie."""
    folder = pathlib.Path(folder)
    return {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")} | {"facts": facts, "folder": folder}
