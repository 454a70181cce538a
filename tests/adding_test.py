"""docs/adding-an-algorithm.md is true: its code is the repository's, and to a copy without it the page adds it back, working."""
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "build/libsluice.a"
REGISTRY = ROOT / "sluice/pipeline/registry.cc"
PAGE = (ROOT / "docs/adding-an-algorithm.md").read_text(encoding="utf-8")
INCLUDE = '#include "sluice/reduce/random_projection.h"\n'
FILE = re.compile(r"<!-- file: (\S+) -->\n```cpp\n(.*?)```\n", re.DOTALL)
ROW = re.compile(r"```cpp\n( +entry<RandomProjectionParams.*?)```\n", re.DOTALL)
FILES = FILE.findall(PAGE)
FLAGS = ["-std=c++20", "-O1", "-march=x86-64-v3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-Wno-restrict", "-Wno-missing-field-initializers"]
MODULES = ["tbb", "zlib", "libzstd", "libhwy", "libxxhash", "libcrypto", "yaml-cpp", "libjpeg", "libpng", "icu-uc"]


def run(*command, cwd):
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the sources without what the page adds, then with the page's files."""
    folder = tmp_path_factory.mktemp("adding")
    shutil.copytree(ROOT / "sluice", folder / "sluice")
    for name, _ in FILES:
        (folder / name).unlink()
    (folder / "sluice/pipeline/registry.cc").write_text(registry_without_it(), encoding="utf-8")
    left = [p for p in (folder / "sluice").rglob("*.[ch]*") if "random_projection.h" in p.read_text(encoding="utf-8")]
    assert left == [], "the page does not say that these files know it"
    for name, text in FILES:
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def registry_without_it():
    text = REGISTRY.read_text(encoding="utf-8")
    for piece in (INCLUDE, ROW.search(PAGE)[1]):
        assert text.count(piece) == 1, f"the registry does not hold, once, the page's\n{piece}"
        text = text.replace(piece, "")
    return text


def registry_by_the_page():
    text = registry_without_it()
    first = text.index('#include "sluice/reduce/')
    last = text.index("  };\n  return kAll;")
    return text[:first] + INCLUDE + text[first:last] + ROW.search(PAGE)[1] + text[last:]


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
    names = [name for name, _ in FILES]
    assert sorted(pathlib.PurePath(name).suffix for name in names) == [".cc", ".cc", ".cc", ".h"] and len(ROW.findall(PAGE)) == 1


@pytest.mark.parametrize("name", [name for name, _ in FILES])
def test_the_code_is_the_repositorys(name):
    assert (ROOT / name).read_text(encoding="utf-8") == dict(FILES)[name], f"{name} and the page differ"


def test_the_lists_are_as_the_page_says():
    page = (ROOT / "docs/algorithms/random-projection.md").read_text(encoding="utf-8")
    assert "sluice random-projection" in page
    lists = (ROOT / "sluice/reduce/CMakeLists.txt").read_text(encoding="utf-8").split()
    for name, _ in FILES:
        assert lists.count(pathlib.PurePath(name).name) == (0 if name.endswith(".h") else 1), name


def test_its_tests_pass(tree):
    needs_library()
    sources = [name for name, _ in FILES if name.endswith(".cc") and not name.endswith("_bench.cc")]
    run("g++", *FLAGS, f"-I{tree}", *link(tree, *sources, "-o", "added", "-lgtest", "-lgtest_main"), cwd=tree)
    assert re.search(r"\[  PASSED  \] [1-9]\d* tests", run("./added", cwd=tree))


def test_its_benchmark_compiles(tree):
    if not shutil.which("g++") or not pathlib.Path("/usr/include/benchmark/benchmark.h").exists():
        pytest.skip("no g++ or no Google Benchmark")
    bench = next(name for name, _ in FILES if name.endswith("_bench.cc"))
    run("g++", *FLAGS, "-fsyntax-only", f"-I{tree}", bench, cwd=tree)


def program(tree, name, registry, *sources):
    """The program anew, from its own objects and the given registry."""
    objects = sorted((ROOT / "build/apps/sluice/CMakeFiles/sluice_program.dir").glob("*.o"))
    if not objects:
        pytest.skip("build/bin/sluice is not built here")
    (tree / "sluice/pipeline/registry.cc").write_text(registry, encoding="utf-8")
    run("g++", *FLAGS, f"-I{tree}", *link(tree, "sluice/pipeline/registry.cc", *sources, *objects, "-o", name), cwd=tree)


def test_its_row_makes_the_command(tree):
    needs_library()
    program(tree, "sluice-without", registry_without_it())
    assert "random-projection" not in run("./sluice-without", "--help", cwd=tree)
    program(tree, "sluice-added", registry_by_the_page(), "sluice/reduce/random_projection.cc")
    assert "random-projection" in run("./sluice-added", "--help", cwd=tree)
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
