"""--memory bounds what the kernel counts for the process, and changes no bit of the answer."""
import json
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
