"""The house checks can fail: each is shown a tree that breaks its rule and one that keeps it."""
import gzip
import pathlib
import re
import struct
import subprocess
import sys
import zlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import check_arrows  # noqa: E402
import check_docs  # noqa: E402
import check_lengths  # noqa: E402


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def run(tool, root):
    done = subprocess.run([sys.executable, str(ROOT / "tools" / tool), str(root)], capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "file, include, allowed",
    [
        ("sluice/kernels/a.cc", "sluice/core/error.h", False),
        ("sluice/kernels/a.cc", "sluice/kernels/b.h", True),
        ("sluice/core/a.h", "sluice/kernels/b.h", True),
        ("sluice/core/a.h", "sluice/io/csv.h", False),
        ("sluice/core/a_test.cc", "sluice/io/csv.h", True),
        ("sluice/core/a_test.cc", "sluice/cluster/kmeans.h", False),
        ("sluice/io/a.cc", "sluice/kernels/b.h", False),
        ("sluice/cluster/a.cc", "sluice/metrics/wcss.h", True),
        ("sluice/cluster/a.cc", "sluice/reduce/pca.h", False),
        ("sluice/cluster/a.cc", "sluice/pipeline/run.h", False),
        ("sluice/metrics/a.cc", "sluice/neighbors/knn.h", False),
        ("sluice/report/a.cc", "sluice/pipeline/run.h", False),
        ("sluice/pipeline/a.cc", "sluice/report/report.h", True),
        ("apps/sluice/main.cc", "sluice/pipeline/registry.h", True),
        ("apps/sluice/main.cc", "sluice/cluster/kmeans.h", False),
        ("sluice/attic/a.cc", "sluice/core/error.h", False),
    ],
)
def test_arrows(tmp_path, file, include, allowed):
    write(tmp_path, file, f'// one\n#include "{include}"\n#include <vector>\n')
    found = check_arrows.offences(tmp_path)
    assert (found == []) == allowed, found
    code, said = run("check_arrows.py", tmp_path)
    assert code == (0 if allowed else 1)
    assert allowed or file in said


def body(lines):
    return "".join(f"  x += {i};\n" for i in range(lines))


def test_long_function_is_found_and_reason_excuses():
    text = "namespace a {\n\nint f(int x) {\n" + body(99) + "}\n}  // namespace a\n"
    assert check_lengths.offences_of("sluice/core/a.cc", text) == ["sluice/core/a.cc:3: f has 101 lines, more than 100"]
    excused = text.replace("int f(", "// Adds.\n// long: one table, read from top to bottom\nint f(")
    assert check_lengths.offences_of("sluice/core/a.cc", excused) == []
    assert check_lengths.offences_of("sluice/core/a.cc", text.replace("  x += 0;\n", "")) == []
    empty_reason = text.replace("int f(", "// long:\nint f(")
    assert len(check_lengths.offences_of("sluice/core/a.cc", empty_reason)) == 1


def test_class_of_many_short_functions_is_not_long():
    text = "class A {\n public:\n" + "".join(f"  int f{i}() const {{ return {i}; }}\n\n" for i in range(80)) + "};\n"
    assert check_lengths.offences_of("sluice/core/a.h", text) == []
    names = [name for name, _, _ in check_lengths.brace_functions(text)]
    assert names[:2] == ["f0", "f1"] and len(names) == 80


def test_braces_in_literals_and_comments_do_not_count():
    text = 'int f() {\n  // {\n  const char* s = "{{\\"{";\n  char c = \'{\';\n  auto r = R"x({{{)x";\n  return 1\'000;\n}\nint g() {\n' + body(99) + "}\n"
    assert [(n, s) for n, s, _ in check_lengths.brace_functions(text)] == [("f", 1), ("g", 8)]
    assert check_lengths.offences_of("sluice/core/a.cc", text) == ["sluice/core/a.cc:8: g has 101 lines, more than 100"]


def test_constructor_test_macro_and_lambda():
    text = "A::A(int n)\n    : n_(n) {\n" + body(3) + "}\nTEST(A, b) {\n  auto f = [](int x) {\n" + body(99) + "  };\n}\n"
    assert [(n, e - s + 1) for n, s, e in check_lengths.brace_functions(text)] == [("A::A", 6), ("TEST", 103)]


def test_long_file_and_python_function():
    text = "\n".join("int a%d;" % i for i in range(501)) + "\n"
    assert check_lengths.offences_of("sluice/core/a.h", text) == ["sluice/core/a.h:1: 501 lines, more than 500"]
    assert check_lengths.offences_of("sluice/core/a.h", "// long file: a table\n" + text) == []
    python = "def f():\n" + "    x = 1\n" * 100
    assert check_lengths.offences_of("tools/a.py", python) == ["tools/a.py:1: f has 101 lines, more than 100"]
    assert check_lengths.offences_of("tools/a.py", "# long: a table\n" + python) == []


def test_typescript():
    text = "export function f(a: string): void {\n  const s = `{${a}`;\n" + body(99) + "}\n"
    assert check_lengths.offences_of("explorer/src/a.ts", text) == ["explorer/src/a.ts:1: f has 102 lines, more than 100"]


def test_lengths_program(tmp_path):
    write(tmp_path, "sluice/core/a.cc", "int f() {\n" + body(120) + "}\n")
    write(tmp_path, "explorer/node_modules/x/a.js", "let a;\n" * 600)
    code, said = run("check_lengths.py", tmp_path)
    assert code == 1 and said == "sluice/core/a.cc:1: f has 122 lines, more than 100\n"


def test_docs(tmp_path):
    write(tmp_path, "README.md", "[a](docs/a.md) [out](https://example.org/x) [gone](docs/b.md#part)\n```\n[code](no.md)\n```\n")
    write(tmp_path, "docs/a.md", "[up](../README.md)\n")
    assert check_docs.broken_links(tmp_path) == ["README.md:1: no file docs/b.md"]
    write(tmp_path, "docs/coverage.md", "| Section | What | Command | Test | State |\n|---|---|---|---|---|\n| 1 | a | b | `tests/x.py` | works |\n"
          "| 2 | a | b | - | works |\n| 3 | a | b | - | supported |\n| 4 | a | b | - | planned |\n")
    found = "\n".join(check_docs.coverage_offences(tmp_path))
    assert "no test tests/x.py" in found and ":4: works, but no test" in found and "'supported'" in found and found.count("\n") == 2


def test_this_tree_keeps_its_own_rules():
    for tool in ("check_arrows.py", "check_lengths.py", "check_docs.py"):
        code, said = run(tool, ROOT)
        assert code == 0, said


def test_the_tests_of_peers_bugs_are_there():
    text = (ROOT / "docs/peers-bugs.md").read_text(encoding="utf-8")
    named = [cell for cell in re.findall(r"((?:`[\w.]+`,? )+)in `([\w/.]+)`", text) if "/" in cell[1]]
    assert len(named) >= text.count("\n| ") - 2
    for names, file in named:
        tests = (ROOT / file).read_text(encoding="utf-8")
        for name in re.findall(r"`([\w.]+)`", names):
            wanted = f"def {name}(" if file.endswith(".py") else "TEST({}, {}) {{".format(*name.split("."))
            assert wanted in tests, (name, file)


def test_setup_lists_are_sorted_out():
    """No package twice in a list, and every Python requirement pinned."""
    for path in (ROOT / "tools/packages").glob("*.txt"):
        names = [line for line in path.read_text().split("\n") if line and not line.startswith("#")]
        assert len(names) == len(set(names)), path
        assert all(" " not in name for name in names), path
    for path in (ROOT / "tools").glob("requirements*.txt"):
        for line in path.read_text().splitlines():
            assert line.startswith("#") or "==" in line, line


def unpack_png(data):
    """Rows of an 8-bit grey PNG without interlace, filter 0."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, width, height = 8, b"", 0, 0
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        chunk = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + chunk)
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", chunk[:10])
            assert (depth, colour) == (8, 0)
        packed += chunk if kind == b"IDAT" else b""
        at += 12 + size
    raw = zlib.decompress(packed)
    assert len(raw) == height * (width + 1)
    return [list(raw[r * (width + 1) + 1 : (r + 1) * (width + 1)]) for r in range(height)]


def test_make_png_writes_the_digits(tmp_path):
    out = tmp_path / "photos"
    subprocess.run([sys.executable, str(ROOT / "examples/digits/make_png.py"), str(out)], check=True, capture_output=True)
    files = sorted(out.glob("*.png"))
    assert len(files) == 1000
    with gzip.open(ROOT / "examples/digits/digits.csv.gz", "rt") as table:
        first = [float(cell) for cell in next(table).split(",")]
    rows = unpack_png(files[0].read_bytes())
    assert len(rows) == 8 and sum(rows, []) == [int(value) * 15 for value in first[:64]]
    labels = (tmp_path / "photos.labels.txt").read_text().split()
    assert len(labels) == 1000 and labels[0] == str(int(first[64]))


def test_installed_config_names_what_the_build_finds():
    """The library is static: whatever CMakeLists.txt finds for it, its users have to find too."""
    lists = (ROOT / "CMakeLists.txt").read_text()
    config = (ROOT / "cmake/sluiceConfig.cmake.in").read_text()
    pc = (ROOT / "cmake/sluice.pc.in").read_text()
    for name, module in re.findall(r"pkg_check_modules\((\w+) .*IMPORTED_TARGET (\S+)\)", lists):
        assert f"{name}:{module}" in config and module in pc, module
    linked = lists[lists.index("target_link_libraries(sluice") :]
    for package in re.findall(r"^find_package\((\S+)", lists, re.MULTILINE):
        if re.search(rf"\b{package}\b", linked[: linked.index("add_subdirectory")]):
            assert f"find_dependency({package}" in config, package
