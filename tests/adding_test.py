"""The code in docs/adding-an-algorithm.md is code: it compiles, its tests pass, and with its one row in the registry the program has the command."""
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "build/libsluice.a"
PAGE = (ROOT / "docs/adding-an-algorithm.md").read_text(encoding="utf-8")
FILE = re.compile(r"<!-- file: (\S+) -->\n```cpp\n(.*?)```\n", re.DOTALL)
ROW = re.compile(r"```cpp\n( +entry<RandomProjectionParams.*?)```\n", re.DOTALL)
FLAGS = ["-std=c++20", "-O1", "-march=x86-64-v3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-Wno-restrict"]
MODULES = ["tbb", "zlib", "libzstd", "libhwy", "libxxhash", "libcrypto", "yaml-cpp", "libjpeg", "libpng", "icu-uc"]


def run(*command, cwd):
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The page's files, at their places in a folder that stands before the repository on the include path."""
    folder = tmp_path_factory.mktemp("adding")
    for name, text in FILE.findall(PAGE):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def link(tree, *inputs):
    """The end of a compiler's command: `inputs` with the library and what it needs."""
    libraries = run("pkg-config", "--libs", *MODULES, cwd=tree).split()
    linalg = list((ROOT / "build/lib").glob("libsluice_linalg.so"))
    rpath = [f"-Wl,-rpath,{ROOT / 'build/lib'}"] if linalg else []
    return [*inputs, LIBRARY, *linalg, *rpath, *libraries, "-ldl"]


def needs_library():
    if not LIBRARY.exists() or not shutil.which("g++"):
        pytest.skip("build/libsluice.a is not built")


def test_the_page_has_the_files_it_names():
    names = [name for name, _ in FILE.findall(PAGE)]
    assert sorted(pathlib.PurePath(name).suffix for name in names) == [".cc", ".cc", ".cc", ".h"] and len(ROW.findall(PAGE)) == 1


def test_its_tests_pass(tree):
    needs_library()
    sources = [name for name, _ in FILE.findall(PAGE) if name.endswith(".cc") and not name.endswith("_bench.cc")]
    run("g++", *FLAGS, f"-I{tree}", f"-I{ROOT}", *link(tree, *sources, "-o", "added", "-lgtest", "-lgtest_main"), cwd=tree)
    assert re.search(r"\[  PASSED  \] [1-9]\d* tests", run("./added", cwd=tree))


def test_its_benchmark_compiles(tree):
    if not shutil.which("g++") or not pathlib.Path("/usr/include/benchmark/benchmark.h").exists():
        pytest.skip("no g++ or no Google Benchmark")
    bench = next(name for name, _ in FILE.findall(PAGE) if name.endswith("_bench.cc"))
    run("g++", *FLAGS, "-fsyntax-only", f"-I{tree}", f"-I{ROOT}", bench, cwd=tree)


def test_its_row_makes_the_command(tree):
    """The program anew, from its own objects, the algorithm, and the registry with the row added."""
    needs_library()
    objects = sorted((ROOT / "build/apps/sluice/CMakeFiles/sluice_program.dir").glob("*.o"))
    if not objects:
        pytest.skip("build/bin/sluice is not built here")
    registry = (ROOT / "sluice/pipeline/registry.cc").read_text(encoding="utf-8")
    registry = registry.replace('#include "sluice/reduce/pca.h"\n', '#include "sluice/reduce/pca.h"\n#include "sluice/reduce/random_projection.h"\n')
    last = registry.index("  };\n  return kAll;")
    (tree / "registry.cc").write_text(registry[:last] + ROW.search(PAGE)[1] + registry[last:], encoding="utf-8")
    sources = ["registry.cc", "sluice/reduce/random_projection.cc"]
    run("g++", *FLAGS, f"-I{tree}", f"-I{ROOT}", *link(tree, *sources, *objects, "-o", "sluice-added"), cwd=tree)
    assert "--eps N" in run("./sluice-added", "random-projection", "--help", cwd=tree)
    digits = [ROOT / "examples/digits/digits.csv.gz", "--no-header", "--label", -1]
    run("./sluice-added", "random-projection", *digits, "--n-components", 20, "--threads", 1, "-o", "one", cwd=tree)
    run("./sluice-added", "random-projection", *digits, "--n-components", 20, "--threads", 2, "-o", "two", cwd=tree)
    assert (tree / "one/manifest.json").read_bytes() == (tree / "two/manifest.json").read_bytes()
    run("./sluice-added", "apply", "one/model.safetensors", *digits, "-o", "again", cwd=tree)
    assert (tree / "one/embedding.npy").read_bytes() == (tree / "again/embedding.npy").read_bytes()
    (tree / "p.yaml").write_text(f"sluice: 1\ninput: {{path: {digits[0]}, header: false, label: -1}}\nstages:\n"
                                 "  reduce: {method: random-projection, n_components: 20}\n  cluster: {method: kmeans, n_clusters: 10}\n")
    run("./sluice-added", "run", "p.yaml", "-o", "flow", cwd=tree)
