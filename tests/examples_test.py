"""What the examples' pages say in numbers, and that one command's files fit the next one's input."""
import json
import re
import subprocess
import sys

import pytest
from sluice_program import ROOT, done, run

np = pytest.importorskip("numpy")
DIGITS = [ROOT / "examples/digits/digits.csv.gz", "--no-header", "--label", -1]
PIPELINE = (ROOT / "examples/digits/pipeline.yaml").read_text().replace("path: digits.csv.gz", f"path: {DIGITS[0]}")


def flow(tmp_path, **changes):
    """The digits pipeline with some of its words changed; its stages' results."""
    text = PIPELINE
    for key, value in changes.items():
        text, times = re.subn(rf"\b{key}: \w+", f"{key}: {value}", text, count=1)
        assert times == 1
    (tmp_path / "p.yaml").write_text(text)
    return done("run", tmp_path / "p.yaml", "-o", tmp_path / "out").result


def test_digits_as_they_are(tmp_path):
    result = flow(tmp_path)
    assert result["decision"]["decision"] == "yes" and result["reduce"]["n_components"] == 29
    assert result["cluster"]["ari"] > 0.64
    assert any(note.startswith("scale none") for note in result["preprocess"]["notes"])


def test_digits_standardised_agree_less(tmp_path):
    assert 0.42 < flow(tmp_path, scale="standard")["cluster"]["ari"] < 0.52


def test_digits_with_the_number_measured(tmp_path):
    result = flow(tmp_path, n_clusters="auto")
    assert result["cluster"]["n_clusters"] == result["decision"]["n_clusters"] >= 10
    assert result["cluster"]["ari"] > 0.6


def test_a_thousand_pictures(tmp_path):
    subprocess.run([sys.executable, ROOT / "examples/digits/make_png.py", tmp_path / "photos"], check=True, capture_output=True)
    ended = done("kmeans", tmp_path / "photos", "--n-clusters", 10, "--label", tmp_path / "photos.labels.txt", "-o", tmp_path / "out")
    assert sum(ended.result["cluster_sizes"]) == 1000 and ended.result["ari"] > 0.6


def test_clusters_of_blobs_judged_as_scikit_learn_does(tmp_path):
    metrics = pytest.importorskip("sklearn.metrics")
    done("make", "blobs", "--n-samples", 1000, "--centers", 10, "--seed", 0, "-o", tmp_path / "blobs")
    done("kmeans", tmp_path / "blobs/X.npy", "--n-clusters", 10, "-o", tmp_path / "km")
    said = done("evaluate", tmp_path / "blobs/X.npy", "--labels", tmp_path / "km/labels.npy", "--label", tmp_path / "blobs/y.npy", "-o", tmp_path / "ev").result
    x, y, labels = (np.load(tmp_path / name) for name in ("blobs/X.npy", "blobs/y.npy", "km/labels.npy"))
    for key, value in {
        "silhouette": metrics.silhouette_score(x, labels), "davies_bouldin": metrics.davies_bouldin_score(x, labels),
        "calinski_harabasz": metrics.calinski_harabasz_score(x, labels), "ari": metrics.adjusted_rand_score(y, labels),
        "nmi": metrics.normalized_mutual_info_score(y, labels), "ami": metrics.adjusted_mutual_info_score(y, labels),
        "v_measure": metrics.v_measure_score(y, labels),
    }.items():
        assert said[key] == pytest.approx(value, rel=1e-9), key
    assert 0.5 < said["silhouette"] < 0.6 and said["silhouette_kind"] == "euclidean"


def test_two_clusterings_compared(tmp_path):
    done("make", "blobs", "--n-samples", 300, "--centers", 4, "--seed", 1, "-o", tmp_path / "b")
    for seed in (0, 1):
        done("kmeans", tmp_path / "b/X.npy", "--n-clusters", 4, "--seed", seed, "-o", tmp_path / str(seed))
    said = done("evaluate", tmp_path / "b/X.npy", "--labels", tmp_path / "0/labels.npy", "--label", tmp_path / "1/labels.npy", "-o", tmp_path / "e").result
    assert said["ari"] > 0.95


def test_a_model_of_a_stage_takes_the_rows_of_the_stage_before(tmp_path):
    flow(tmp_path)
    out = tmp_path / "out"
    done("apply", out / "cluster/model.safetensors", out / "reduce/embedding.npy", "-o", tmp_path / "again")
    assert np.array_equal(np.load(tmp_path / "again/labels.npy"), np.load(out / "cluster/labels.npy"))
    assert run("verify", out).code == 0
    assert json.loads((out / "summary.json").read_text())["command"] == "run"
