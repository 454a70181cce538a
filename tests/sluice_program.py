"""What the tests of the program share: running it, reading what it wrote, small tables in every format.

SLUICE_BIN names another program than build/bin/sluice; SLUICE_DATA the folder of real data sets (default ../shared/data beside the root).
"""
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path(os.environ.get("SLUICE_BIN", ROOT / "build/bin/sluice"))
DATA = pathlib.Path(os.environ.get("SLUICE_DATA", ROOT.parent / "shared/data"))


def needs_program():
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")


def needs_mpirun():
    if shutil.which("mpirun") is None:
        pytest.skip("mpirun is not here")


def needs_data(*parts):
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"data set {'/'.join(parts)} is not here")
    return path


def command(args, ranks=1):
    launch = [] if ranks == 1 else ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(ranks)]
    return [*launch, str(PROGRAM), *map(str, args)]


class Ended:
    """How a run ended: code, standard output and error, and the JSON on standard output if there was one."""

    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr
        try:
            self.json = json.loads(process.stdout)
        except json.JSONDecodeError:
            self.json = None

    @property
    def result(self):
        return self.json["result"]


def run(*args, ranks=1, env=None, stdin=None, cwd=None, timeout=120):
    needs_program()
    process = subprocess.run(command(args, ranks), capture_output=True, text=True, errors="replace", input=stdin, cwd=cwd, timeout=timeout,
                             env={**os.environ, **(env or {})})
    return Ended(process)


def done(*args, **how):
    """Runs with --json and insists on success."""
    ended = run(*args, "--json", **how)
    assert ended.code == 0, ended.err
    return ended


def manifest_hash(folder):
    return hashlib.sha256((pathlib.Path(folder) / "manifest.json").read_bytes()).hexdigest()


def write_csv(path, names, rows, opener=open):
    with opener(path, "wt") as file:
        file.write(",".join(names) + "\n")
        file.writelines(",".join(repr(float(v)) for v in row) + "\n" for row in rows)


def write_gzip_csv(path, names, rows):
    write_csv(path, names, rows, gzip.open)
