"""The code in docs/adding-an-algorithm.md is code: it compiles against the library, and its tests pass."""
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "build/libsluice.a"
FILE = re.compile(r"<!-- file: (\S+) -->\n```cpp\n(.*?)```\n", re.DOTALL)
FLAGS = ["-std=c++20", "-O1", "-march=x86-64-v3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-Wno-restrict"]
MODULES = ["tbb", "zlib", "libzstd", "libhwy", "libxxhash", "libcrypto", "yaml-cpp", "libjpeg", "libpng", "icu-uc"]


def test_page_compiles_and_its_tests_pass(tmp_path):
    files = dict(FILE.findall((ROOT / "docs/adding-an-algorithm.md").read_text(encoding="utf-8")))
    assert sorted(pathlib.PurePath(name).suffix for name in files) == [".cc", ".cc", ".cc", ".h"]
    if not LIBRARY.exists() or not shutil.which("g++"):
        pytest.skip("build/libsluice.a is not built")
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sources = [name for name in files if name.endswith(".cc") and not name.endswith("_bench.cc")]
    libraries = subprocess.run(["pkg-config", "--libs", *MODULES], check=True, capture_output=True, text=True).stdout.split()
    linalg = [str(path) for path in (ROOT / "build/lib").glob("libsluice_linalg.so")]
    command = ["g++", *FLAGS, f"-I{tmp_path}", f"-I{ROOT}", *sources, "-o", "added", "-lgtest", "-lgtest_main", str(LIBRARY), *linalg, *libraries, "-ldl"]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-4000:]
    ran = subprocess.run(["./added"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0 and re.search(r"\[  PASSED  \] [1-9]\d* tests", ran.stdout), ran.stdout[-4000:]
