"""`make install` gives a tree that find_package and pkg-config find: examples/cpp is built against it both ways and run."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("SLUICE_BUILD", "build")


def run(*command, env=None):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600, env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    if not (BUILD / "libsluice.a").exists() or not shutil.which("cmake"):
        pytest.skip("build/libsluice.a is not built")
    prefix = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", prefix)
    return prefix


def check_said(said):
    """All 1,000 points in ten clusters at the best inertia known for them."""
    sizes = [int(m) for m in re.findall(r"^\s*-?[\d.]+\s+-?[\d.]+\s+(\d+) points$", said, re.MULTILINE)]
    assert len(sizes) == 10 and sum(sizes) == 1000, said
    assert 1773 < float(re.search(r"^inertia ([\d.]+),", said, re.MULTILINE)[1]) < 1773.4 * 1.001, said


def test_the_example_is_short():
    assert len((ROOT / "examples/cpp/blobs.cc").read_text().splitlines()) < 30


def test_cmake(prefix, tmp_path):
    run("cmake", "-G", "Ninja", "-S", ROOT / "examples/cpp", "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path)
    check_said(run(tmp_path / "blobs"))


def test_pkg_config(prefix, tmp_path):
    folder = next(prefix.rglob("sluice.pc")).parent
    flags = run("pkg-config", "--cflags", "--libs", "sluice", env={"PKG_CONFIG_PATH": str(folder)}).split()
    run("g++", ROOT / "examples/cpp/blobs.cc", "-O1", "-o", tmp_path / "blobs", *flags)
    check_said(run(tmp_path / "blobs"))


def test_no_foreign_type_in_an_installed_header_of_core(prefix):
    for header in (prefix / "include/sluice/core").glob("*.h"):
        assert not re.search(r"#include [<\"](hwy|arrow|parquet|mpi|torch|tbb|oneapi)", header.read_text()), header


def test_installed_program_runs_alone(prefix, tmp_path):
    program = prefix / "bin/sluice"
    if not program.exists():
        pytest.skip("the program is not built")
    assert re.search(r"\d+\.\d+\.\d+", run(program, "--version"))
