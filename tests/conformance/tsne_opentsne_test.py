"""t-SNE through the program against openTSNE on real data: divergences by one exact evaluator, and how well neighbours stay neighbours."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from sklearn.manifold import trustworthiness  # noqa: E402
from tsne_divergence import affinities, digits, divergence, mnist  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SLUICE", ROOT / "build" / "bin" / "sluice"))
DATA = pathlib.Path(os.environ.get("SLUICE_DATA", ROOT.parent / "shared" / "data"))
# By tsne_opentsne.py with openTSNE 1.0.4.
REFERENCE = {
    "digits": {"divergence": 0.759577, "trustworthiness": 0.98937},
    "mnist": {"divergence": 1.778357, "trustworthiness": None},
}

if not (DATA / "images" / "digits8x8.csv.gz").exists():
    pytest.skip(f"no pictures under {DATA}", allow_module_level=True)
if not PROGRAM.exists():
    pytest.skip(f"{PROGRAM} is not built", allow_module_level=True)


def tsne(folder, rows, *options):
    np.save(folder / "rows.npy", rows)
    command = [PROGRAM, "tsne", folder / "rows.npy", "-o", folder / "out", "--overwrite", "--json", "-q", *options]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["result"], np.load(folder / "out" / "embedding.npy")


@pytest.mark.parametrize("method", ["exact", "fft"])
def test_digits(method, tmp_path):
    rows = digits(DATA)
    result, made = tsne(tmp_path, rows, "--method", method)
    ours = divergence(affinities(rows), made)
    assert abs(result["kl_divergence"] - ours) < 1e-4 * ours  # what it says is what it did
    assert ours < 1.01 * REFERENCE["digits"]["divergence"]
    assert trustworthiness(rows, made, n_neighbors=15) > REFERENCE["digits"]["trustworthiness"] - 0.01


@pytest.mark.skipif(os.environ.get("SLUICE_MATRIX") != "full", reason="takes minutes; SLUICE_MATRIX=full runs it")
def test_mnist(tmp_path):
    rows = mnist(DATA)
    result, made = tsne(tmp_path, rows)
    assert result["method"] == "fft" and result["kl_kind"] == "exact"
    assert divergence(affinities(rows), made) < 1.01 * REFERENCE["mnist"]["divergence"]
