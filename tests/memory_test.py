"""--memory bounds what the kernel counts for the process, and changes no bit of the answer."""
import json
import re
import subprocess
import sys

import pytest

from sluice_program import command, needs_program

np = pytest.importorskip("numpy")

MIB = 1 << 20


# A process begins with the peak of the one it was forked from, so a small one stands between the tests and the program.
LAUNCH = "import os,sys; p=os.posix_spawn(sys.argv[1],sys.argv[1:],os.environ); _,s,u=os.wait4(p,0); print(u.ru_maxrss*1024); sys.exit(os.waitstatus_to_exitcode(s))"


def measured(*args):
    """Runs to success; the peak of resident memory as the kernel counts it for that process, in bytes."""
    needs_program()
    ended = subprocess.run([sys.executable, "-S", "-E", "-c", LAUNCH, *command([*args, "-q"])], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """A folder with a 307 MB npy; the other formats are made from it where they are needed."""
    folder = tmp_path_factory.mktemp("big")
    rng = np.random.default_rng(8)
    with open(folder / "big.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (1_200_000, 64)})
        for begin in range(0, 1_200_000, 100_000):
            (rng.standard_normal((100_000, 64), np.float32) + np.float32((np.arange(begin, begin + 100_000)[:, None] % 7) * 2)).tofile(file)
    yield folder
    for path in folder.iterdir():
        path.unlink()


@pytest.fixture(scope="module")
def big_parquet(big):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    x = np.load(big / "big.npy", mmap_mode="r")[:600_000]
    pq.write_table(pa.table({f"c{i}": np.ascontiguousarray(x[:, i]) for i in range(x.shape[1])}), big / "big.parquet", row_group_size=100_000, compression=None, use_dictionary=False)
    return big / "big.parquet"


@pytest.fixture(scope="module")
def big_csv(big):
    x = np.load(big / "big.npy", mmap_mode="r")[:20_000]
    lines = "\n".join(",".join(map(str, row)) for row in x.tolist()) + "\n"
    with open(big / "big.csv", "w") as file:
        file.write(",".join(f"c{i}" for i in range(64)) + "\n")
        for _ in range(5):
            file.write(lines)
    return big / "big.csv"


def bounded(args, table, limit, tmp_path, same="model.safetensors"):
    """Below the limit with little memory, and the same bytes with plenty."""
    little, plenty = tmp_path / "little", tmp_path / "plenty"
    peak = measured(args[0], table, *args[1:], "--memory", f"{limit}M", "-o", little)
    assert peak <= limit * MIB, f"{peak / MIB:.0f} MiB"
    assert abs(json.loads((little / "run.json").read_text())["peak_memory"] - peak) < 8 * MIB
    measured(args[0], table, *args[1:], "--memory", "4G", "-o", plenty)
    assert (little / same).read_bytes() == (plenty / same).read_bytes()
    assert (little / "manifest.json").read_bytes() == (plenty / "manifest.json").read_bytes()


COMMANDS = {
    "kmeans": ["kmeans", "--n-clusters", 7, "--max-iter", 2, "--init", "random", "--assignments", "off"],
    "pca": ["pca", "--n-components", 4],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_three_times_the_memory(name, big, tmp_path):
    bounded(COMMANDS[name], big / "big.npy", 96, tmp_path)


@pytest.mark.parametrize("name", ["kmeans"])
def test_a_parquet_file_larger_than_the_memory(name, big_parquet, tmp_path):
    bounded(COMMANDS[name], big_parquet, 128, tmp_path)


@pytest.mark.parametrize("name", ["kmeans"])
def test_a_parsed_file_larger_than_the_memory(name, big_csv, tmp_path):
    bounded(COMMANDS[name], big_csv, 64, tmp_path)


def test_preprocessing_streams(big_csv, tmp_path):
    bounded(["preprocess", "--scale", "robust"], big_csv, 96, tmp_path)


def test_dbscan_memory_does_not_grow_with_eps(tmp_path):
    rng = np.random.default_rng(9)
    np.save(tmp_path / "x.npy", rng.uniform(size=(180_000, 2)))
    peaks = []
    for eps in (0.001, 5):
        peaks.append(measured("dbscan", tmp_path / "x.npy", "--eps", eps, "--assignments", "off", "-o", tmp_path / "out"))
    assert json.loads((tmp_path / "out/summary.json").read_text())["result"]["n_clusters"] == 1
    assert max(peaks) < 1 << 30 and peaks[1] < 1.5 * peaks[0] + 16 * MIB


@pytest.mark.parametrize("args, code", [
    (["dbscan", "--algorithm", "kd_tree"], 5),
    (["pca", "--n-components", 2, "--svd-solver", "full"], 5),
])
def test_what_cannot_stream_says_so_before_it_starts(args, code, tmp_path):
    """A budget too small is exit 5 with what would help, and nothing is written."""
    needs_program()
    rng = np.random.default_rng(10)
    shape = (400_000, 6) if args[0] == "dbscan" else (2_000, 2_500)
    np.save(tmp_path / "x.npy", rng.uniform(size=shape).astype(np.float32))
    ended = subprocess.run(command([args[0], tmp_path / "x.npy", *args[1:], "--memory", "32M", "-o", tmp_path / "out"]), capture_output=True, text=True)
    assert ended.returncode == code, ended.stderr
    assert "--memory" in ended.stderr and not (tmp_path / "out").exists() and not (tmp_path / "out.work").exists()


def kept_or_refused(args, limit, tmp_path):
    """The peak in MiB of a run under the limit, or None where it was refused before it began, saying the bytes."""
    needs_program()
    out = tmp_path / "out"
    words = command([*args, "--memory", f"{limit}M", "--threads", 2, "-q", "-o", out])
    ended = subprocess.run([sys.executable, "-S", "-E", "-c", LAUNCH, *words], capture_output=True, text=True)
    peak = int(ended.stdout) / MIB
    assert peak <= limit, f"{peak:.0f} MiB under {limit}"
    if ended.returncode == 0:
        return peak
    assert ended.returncode == 5, ended.stderr
    assert re.search(r"takes \d{7,} bytes", ended.stderr) and "--memory" in ended.stderr
    assert not out.exists() and not (tmp_path / "out.work").exists()
    return None


@pytest.fixture(scope="module")
def groups(tmp_path_factory):
    """Five groups as float32, by the shape asked for."""
    folder = tmp_path_factory.mktemp("groups")

    def make(n, d):
        path = folder / f"{n}x{d}.npy"
        if not path.exists():
            rng = np.random.default_rng(3)
            np.save(path, (rng.standard_normal((n, d)) + np.arange(n)[:, None] % 5 * 6).astype(np.float32))
        return path

    yield make
    for path in folder.iterdir():
        path.unlink()


# Whatever streams runs under the smallest of the limits.
STREAMING = {
    "profile": (["profile"], (400_000, 8)),
    "gmm": (["gmm", "--n-components", 3, "--max-iter", 2], (400_000, 8)),
    "svd": (["svd", "--n-components", 3], (400_000, 8)),
    "random-projection": (["random-projection", "--n-components", 3], (400_000, 8)),
    "advise": (["advise"], (100_000, 3)),
    "choose-k": (["choose-k"], (100_000, 3)),
    "mahalanobis": (["anomaly", "--method", "mahalanobis"], (300_000, 8)),
    "pca_error": (["anomaly", "--method", "pca_error"], (300_000, 8)),
    "gmm_density": (["anomaly", "--method", "gmm_density", "--max-iter", 2], (300_000, 8)),
}


@pytest.mark.parametrize("name", STREAMING)
def test_what_streams_stays_below(name, groups, tmp_path):
    args, shape = STREAMING[name]
    assert kept_or_refused([args[0], groups(*shape), *args[1:]], 48, tmp_path)


# What holds all rows: refused under the first limit, done under the second.
HOLDING = {
    "neighbors": (["neighbors"], (400_000, 3), 64, 96),
    "nn_descent": (["neighbors", "--algorithm", "nn_descent"], (60_000, 3), 32, 48),
    "hdbscan": (["hdbscan"], (150_000, 4), 48, 72),
    "tsne": (["tsne", "--max-iter", 30], (4_000, 8), 64, 80),
    "umap": (["umap", "--n-epochs", 5], (30_000, 4), 64, 96),
    "isolation_forest": (["anomaly"], (600_000, 2), 48, 64),
    "ecod": (["anomaly", "--method", "ecod"], (200_000, 8), 48, 80),
    "knn": (["anomaly", "--method", "knn"], (200_000, 3), 48, 72),
    "lof": (["anomaly", "--method", "lof"], (100_000, 3), 48, 80),
    "dbscan_noise": (["anomaly", "--method", "dbscan_noise", "--eps", 0.3], (150_000, 3), 32, 64),
    "hdbscan_outliers": (["anomaly", "--method", "hdbscan_outliers"], (100_000, 3), 48, 64),
    "ensemble": (["anomaly", "--method", "ensemble"], (200_000, 3), 64, 96),
}


@pytest.mark.parametrize("name", HOLDING)
def test_what_holds_all_rows_says_so_or_stays_below(name, groups, tmp_path):
    args, shape, little, enough = HOLDING[name]
    words = [args[0], groups(*shape), *args[1:]]
    assert kept_or_refused(words, little, tmp_path) is None
    assert kept_or_refused(words, enough, tmp_path)


def test_the_memory_of_many_passes_does_not_add_up(groups, tmp_path):
    """Thousands of parallel loops, each over two leaves."""
    args = ["kmeans", groups(5_000, 3), "--n-clusters", 7, "--n-init", 400, "--assignments", "off"]
    assert kept_or_refused(args, 40, tmp_path)


@pytest.mark.parametrize("name", ["profile", "eclat"])
def test_results_do_not_depend_on_the_memory(name, groups, tmp_path):
    if name == "profile":
        args = ["profile", groups(400_000, 8)]
    else:
        rng = np.random.default_rng(5)
        args = ["eclat", tmp_path / "baskets.dat", "--min-support", 0.01]
        args[1].write_text("".join(" ".join(map(str, sorted({*(rng.zipf(1.3, 8) % 500).tolist()}))) + "\n" for _ in range(100_000)))
    peak = measured(*args, "--memory", "40M", "--threads", 2, "-o", tmp_path / "little")
    assert peak <= 40 * MIB
    measured(*args, "--memory", "4G", "--threads", 1, "-o", tmp_path / "plenty")
    assert (tmp_path / "little/manifest.json").read_bytes() == (tmp_path / "plenty/manifest.json").read_bytes()


@pytest.mark.parametrize("name", ["anomaly", "gmm"])
def test_gaps_and_parsed_files_stay_below(name, groups, tmp_path):
    x = np.load(groups(150_000, 8)).astype(np.float64)
    x[::97, 3] = np.nan
    np.save(tmp_path / "gaps.npy", x)
    with open(tmp_path / "gaps.csv", "w") as file:
        file.write("a,b,c,d,e,f,g,h\n")
        file.writelines(",".join("" if v != v else f"{v:.5f}" for v in row) + "\n" for row in x.tolist())
    more = ["--method", "pca_error"] if name == "anomaly" else ["--n-components", 3, "--max-iter", 2]
    for table in ("gaps.npy", "gaps.csv"):
        assert kept_or_refused([name, tmp_path / table, *more, "--nan", "impute"], 48, tmp_path)


def flow_file(tmp_path, table, *more):
    lines = ["sluice: 1", f"input: {{path: {table}}}", "stages:", "  cluster: {method: kmeans, n_clusters: 5, max_iter: 3}", *more]
    (tmp_path / "flow.yaml").write_text("\n".join(lines) + "\n")
    return tmp_path / "flow.yaml"


def test_a_run_says_what_it_holds_of_every_row(groups, tmp_path):
    plan = flow_file(tmp_path, groups(400_000, 3))
    assert kept_or_refused(["run", plan], 48, tmp_path) is None
    assert kept_or_refused(["run", plan], 72, tmp_path)


def test_a_run_that_drops_most_rows_stays_below(groups, tmp_path):
    x = np.load(groups(300_000, 2))
    np.save(tmp_path / "twice.npy", np.repeat(x[:60_000], 5, axis=0))
    plan = flow_file(tmp_path, tmp_path / "twice.npy", "  anomaly: {method: isolation_forest, n_estimators: 20}")
    assert kept_or_refused(["run", plan], 64, tmp_path)
