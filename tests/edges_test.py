"""Data at the edges, and the known mistakes of other programs: each ends well or is refused by name."""
import json
import os
import pathlib
import signal
import stat
import subprocess
import time

import pytest

from sluice_program import command, done, manifest_hash, needs_program, run

np = pytest.importorskip("numpy")


def saved(tmp_path, x, name="x.npy"):
    np.save(tmp_path / name, np.asarray(x))
    return tmp_path / name


CLUSTERERS = {
    "kmeans": ["kmeans", "--n-clusters", 3],
    "kmeans-cosine": ["kmeans", "--n-clusters", 3, "--metric", "cosine"],
    "kmeans-manhattan": ["kmeans", "--n-clusters", 3, "--metric", "manhattan"],
    "kmeans-parallel": ["kmeans", "--n-clusters", 3, "--init", "k-means-parallel"],
    "kmeans-minibatch": ["kmeans", "--n-clusters", 3, "--mini-batch"],
    "dbscan": ["dbscan", "--min-samples", 2],
    "dbscan-cosine": ["dbscan", "--min-samples", 2, "--metric", "cosine"],
}
SHAPES = {
    "all equal": np.full((50, 3), 14.62),
    "all zero": np.zeros((50, 3)),
    "two places": np.repeat([[1.0, 2.0], [3.0, 4.0]], 25, axis=0),
    "three rows": np.array([[0.0, 1.0], [5.0, 5.0], [9.0, 0.0]]),
    "one column": np.arange(40.0)[:, None] ** 2,
    "many columns": np.random.default_rng(1).normal(size=(12, 700)),
    "far away": np.random.default_rng(1).normal(size=(60, 2)) + 1e8,
    "tiny": np.random.default_rng(1).normal(size=(60, 2)) * 1e-300,
    "subnormal": np.array([[5e-324], [1e-320], [0.0], [3e-310]] * 10),
    "huge": np.array([[1e38, -1e38], [1e38, 1e38], [-1e38, 1e38]] * 10),
    "one far row": np.vstack([np.random.default_rng(1).normal(size=(50, 2)), [[1e30, 1e30]]]),
    "minus zero": np.array([[0.0], [-0.0], [1.0]] * 5),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", CLUSTERERS)
def test_clusterers_end_well(name, shape, tmp_path):
    x = SHAPES[shape]
    head, *options = CLUSTERERS[name]
    table = saved(tmp_path, x)
    ended = done(head, table, *options, "-o", tmp_path / "o", timeout=60)
    labels = np.load(tmp_path / "o/labels.npy")
    assert labels.shape == (len(x),) and ended.result["n_clusters"] >= labels.max() + 1
    for row in {tuple(row) for row in x.tolist()}:
        assert len(set(labels[(x == row).all(axis=1)])) == 1, "equal rows are apart"
    if head == "kmeans":
        assert ended.result["inertia"] >= 0 and sum(ended.result["cluster_sizes"]) == len(x)
    done("apply", tmp_path / "o/model.safetensors", table, "-o", tmp_path / "again")
    assert np.array_equal(np.load(tmp_path / "again/labels.npy"), labels)


@pytest.mark.parametrize("shape", SHAPES)
def test_pca_and_preprocessing_end_well(shape, tmp_path):
    x = SHAPES[shape]
    table = saved(tmp_path, x)
    result = done("pca", table, "--n-components", 1, "-o", tmp_path / "pca").result
    assert 0 <= result["explained_variance_ratio"][0] <= 1 + 1e-12 or shape in ("all equal", "all zero")
    assert np.isfinite(np.load(tmp_path / "pca/embedding.npy")).all()
    for scale in ("auto", "standard", "minmax", "robust"):
        ended = run("preprocess", table, "--scale", scale, "--constant-columns", "keep", "--json", "-o", tmp_path / "pre")
        assert ended.code in (0, 3) and (ended.code == 0 or "did you mean" not in ended.err), ended.err
        if ended.code == 0:
            assert np.isfinite(np.load(tmp_path / "pre/X.npy")).all()


def test_a_constant_column_scales_to_nothing(tmp_path):
    """The mean of many 14.62 rounds; divided by the rounding it would become ones."""
    table = saved(tmp_path, np.column_stack([np.full(1001, 14.62), np.arange(1001.0)]))
    done("preprocess", table, "--scale", "standard", "--constant-columns", "keep", "-o", tmp_path / "o")
    assert np.abs(np.load(tmp_path / "o/X.npy")[:, 0]).max() == 0


def test_variance_far_from_the_origin(tmp_path):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(5000, 3)) * [3, 2, 1] + 1e8
    got = done("pca", saved(tmp_path, x), "--n-components", 3, "-o", tmp_path / "o").result["explained_variance"]
    near = x - 1e8
    assert np.allclose(got, np.linalg.eigvalsh(np.cov(near.T))[::-1], rtol=1e-9)


def test_sums_beyond_what_float32_counts(tmp_path):
    """2^24 + 1 is no float32: 20 million ones added in single precision stop there."""
    table = saved(tmp_path, np.full((17_000_001, 1), 1, np.uint8))
    ended = done("kmeans", table, "--n-clusters", 1, "--assignments", "off", "-o", tmp_path / "o")
    assert ended.result["cluster_sizes"] == [17_000_001] and ended.result["inertia"] == 0
    assert (tmp_path / "o/centers.csv").read_text().splitlines()[1] == "1"


def test_more_clusters_than_distinct_rows(tmp_path):
    table = saved(tmp_path, np.repeat(np.arange(4.0), 30)[:, None])
    for init in ("k-means++", "k-means-parallel", "random"):
        ended = done("kmeans", table, "--n-clusters", 9, "--init", init, "-o", tmp_path / "o", timeout=30)
        assert ended.result["inertia"] == 0 or init == "random"


def test_as_many_clusters_as_rows(tmp_path):
    table = saved(tmp_path, np.random.default_rng(1).normal(size=(37, 2)))
    ended = done("kmeans", table, "--n-clusters", 37, "-o", tmp_path / "o")
    assert ended.result["inertia"] < 1e-24 and ended.result["cluster_sizes"] == [1] * 37


def test_a_square_that_overflows_names_its_column(tmp_path):
    (tmp_path / "x.csv").write_text("fine,wild\n1,1e200\n2,-1e200\n3,0\n")
    for args in (["kmeans", "--n-clusters", 2], ["dbscan"], ["pca"]):
        ended = run(args[0], tmp_path / "x.csv", *args[1:], "-o", tmp_path / "o")
        assert ended.code == 8 and "wild" in ended.err, (args, ended.code, ended.err)


def test_a_comma_for_a_point_changes_nothing(tmp_path):
    here = [name for name in subprocess.run(["locale", "-a"], capture_output=True, text=True).stdout.split() if name.lower().startswith(("de_", "fr_"))]
    if not here:
        pytest.skip("no locale with a decimal comma is installed")
    (tmp_path / "x.csv").write_text("a,b\n1.5,2\n2.25,3\n9,9.125\n")
    hashes = set()
    for name in ("C", here[0]):
        done("kmeans", tmp_path / "x.csv", "--n-clusters", 2, "--tol", "0.01", "-o", tmp_path / "o", env={"LC_ALL": name, "LANG": name})
        hashes.add(manifest_hash(tmp_path / "o"))
    assert len(hashes) == 1


def test_hostile_words_stay_words(tmp_path):
    """Names and cells that look like markup, formulas or paths reach the page as text."""
    bad = "</script><script>alert(1)</script>"
    name = tmp_path / "<img src=x onerror=alert(1)>.csv"
    quoted = bad.replace('"', '""')
    name.write_text(f'"{quoted}","b & <b>",kind,id\n' + "".join(f'{i},{i * i % 7},"{bad}{i % 2}","=cmd()|{i}"\n' for i in range(40)))
    done("kmeans", name, "--n-clusters", 2, "--label", "kind", "--id", "id", "-o", tmp_path / "o")
    page = (tmp_path / "o/report.html").read_text()
    assert "<script>alert" not in page and "<img src=x" not in page
    assert (tmp_path / "o/centers.csv").read_text().startswith(f'{bad},b & <b>')


def test_refused_output_places(tmp_path):
    table = saved(tmp_path, np.arange(12.0).reshape(6, 2))
    (tmp_path / "file").write_text("mine")
    for place, codes in ((tmp_path / "file", (2, 4)), (tmp_path / "file/below", (2, 4)), (pathlib.Path("/proc/nowhere"), (2, 4))):
        ended = run("kmeans", table, "--n-clusters", 2, "-o", place)
        assert ended.code in codes and len(ended.err.strip().splitlines()) == 1, (place, ended.code, ended.err)
        # What stood there may not be replaced even by force, unless it is a folder.
    assert (tmp_path / "file").read_text() == "mine"
    done("kmeans", table, "--n-clusters", 2, "-o", tmp_path / "new/deep/er")
    assert (tmp_path / "new/deep/er/manifest.json").exists()


def test_an_input_without_permission_is_bad_input(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    table = saved(tmp_path, np.arange(12.0).reshape(6, 2))
    table.chmod(0)
    assert run("kmeans", table, "--n-clusters", 2, "-o", tmp_path / "o").code == 3
    table.chmod(stat.S_IRUSR)


def test_labels_of_another_length_are_refused(tmp_path):
    table = saved(tmp_path, np.arange(12.0).reshape(6, 2))
    short = saved(tmp_path, np.arange(5), "y.npy")
    for args in (["kmeans", table, "--n-clusters", 2, "--label", short], ["evaluate", table, "--labels", short]):
        ended = run(*args, "-o", tmp_path / "o")
        assert ended.code == 3 and "5" in ended.err and "6" in ended.err


def test_evaluate_leaves_noise_out(tmp_path):
    rng = np.random.default_rng(3)
    x = np.vstack([rng.normal(size=(30, 2)), rng.normal(size=(30, 2)) + 9, rng.uniform(-50, 50, (10, 2))])
    labels = np.repeat([0, 1, -1], [30, 30, 10])
    noisy = done("evaluate", saved(tmp_path, x), "--labels", saved(tmp_path, labels, "y.npy"), "-o", tmp_path / "o").result
    clean = done("evaluate", saved(tmp_path, x[:60], "x60.npy"), "--labels", saved(tmp_path, labels[:60], "y60.npy"), "-o", tmp_path / "o").result
    for key in ("silhouette", "davies_bouldin", "calinski_harabasz", "wcss"):
        assert abs(noisy[key] - clean[key]) <= 1e-12 * abs(clean[key]), key


def test_json_is_one_object_and_quiet_is_quiet(tmp_path):
    table = saved(tmp_path, np.random.default_rng(1).normal(size=(50, 2)))
    ended = run("kmeans", table, "--n-clusters", 2, "--json", "--progress", "on", "-o", tmp_path / "o")
    assert json.loads(ended.out) == json.loads((tmp_path / "o/summary.json").read_text())
    quiet = run("kmeans", table, "--n-clusters", 2, "-q", "-o", tmp_path / "o")
    assert quiet.code == 0 and quiet.out == "" and quiet.err == ""
    people = run("kmeans", table, "--n-clusters", 2, "-o", tmp_path / "o")
    assert people.code == 0 and "inertia" in people.out


def test_a_failed_run_leaves_the_earlier_one(tmp_path):
    table = saved(tmp_path, np.random.default_rng(1).normal(size=(50, 2)))
    out = tmp_path / "o"
    done("kmeans", table, "--n-clusters", 2, "-o", out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for args in (["kmeans", table, "--n-clusters", 51], ["kmeans", tmp_path / "no.npy"], ["pca", table, "--n-components", 7]):
        assert run(*args, "-o", out).code in (3, 4)
        assert {path.name: path.read_bytes() for path in out.iterdir()} == before and not pathlib.Path(f"{out}.work").exists()


@pytest.mark.parametrize("args", [["pca", "--n-components", 20], ["dbscan", "--eps", 2.5, "--algorithm", "brute"], ["preprocess", "--scale", "robust", "--outliers", "iqr"], ["choose-k"]])
def test_any_command_stops_within_two_seconds(args, tmp_path):
    needs_program()
    table = saved(tmp_path, np.random.default_rng(2).normal(size=(120_000, 40)).astype(np.float32))
    out = tmp_path / "o"
    process = subprocess.Popen(command([args[0], table, *args[1:], "-q", "-o", out]), stderr=subprocess.PIPE, text=True)
    time.sleep(0.4)
    process.send_signal(signal.SIGTERM)
    begun = time.time()
    said = process.communicate(timeout=60)[1]
    took = time.time() - begun
    if process.returncode == 0:
        pytest.skip("it was done before it could be interrupted")
    assert process.returncode == 6 and took < 2.5, (process.returncode, took, said)
    assert "again" in said and not out.exists()


def test_a_killed_run_leaves_nothing_that_looks_complete(tmp_path):
    needs_program()
    table = saved(tmp_path, np.random.default_rng(2).normal(size=(60_000, 16)).astype(np.float32))
    args = ["kmeans", table, "--n-clusters", 30, "--max-iter", 30, "--tol", 0, "--n-init", 1, "-q", "-o"]
    assert run(*args, tmp_path / "whole").code == 0
    out = tmp_path / "o"
    for wait in (0.02, 0.08, 0.2, 0.4):
        process = subprocess.Popen(command([*args, out]), stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.kill()
        process.wait()
        if (out / "manifest.json").exists():
            assert manifest_hash(out) == manifest_hash(tmp_path / "whole")
    assert run(*args, out).code == 0
    assert manifest_hash(out) == manifest_hash(tmp_path / "whole") and not pathlib.Path(f"{out}.work").exists()
    assert run("verify", out).code == 0
