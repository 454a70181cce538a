"""Runs what the READMEs tell a user to type: each ```sh block under a line `<!-- tested -->`, in a folder of its own."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path(os.environ.get("SLUICE_BIN", ROOT / "build/bin/sluice")).absolute()
PAGES = ["README.md", "README.zh-CN.md", "docs/commands.md", "examples/blobs/README.md", "examples/digits/README.md"]
BLOCK = re.compile(r"<!-- tested -->\n```sh\n(.*?)```", re.DOTALL)


def blocks(page):
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def commands(page):
    """What is typed, without remarks."""
    lines = (re.sub(r"\s+#.*", "", line).strip() for block in blocks(page) for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_both_languages_type_the_same():
    assert commands("README.md") == commands("README.zh-CN.md")


@pytest.mark.parametrize("page", PAGES)
def test_page_has_commands(page):
    assert commands(page)


# The Chinese page types the same commands as the English one, so it is not run again.
@pytest.mark.parametrize("page", [p for p in PAGES if "zh" not in p])
def test_commands_run(page, tmp_path):
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    (tmp_path / "build").symlink_to(PROGRAM.parent.parent)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    env = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
    for line in commands(page):
        if line.startswith("mpirun") and not shutil.which("mpirun"):
            continue
        done = subprocess.run(["bash", "-ec", line], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
