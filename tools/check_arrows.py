#!/usr/bin/env python3
"""Arrows between rooms go one way: a room may include only the rooms named for it here. Prints each line that does not, exits 1.

usage: check_arrows.py [ROOT]
"""
import pathlib
import re
import sys

ALGORITHMS = {"cluster", "reduce", "preprocess", "patterns", "mixture", "anomaly", "advise", "curate", "neural"}
BELOW = {"core", "kernels", "linalg", "neighbors", "metrics"}

# Room -> the rooms whose headers it may include, itself apart.
ARROWS = {
    "kernels": set(),
    "linalg": set(),
    "core": {"kernels"},
    "comm": {"core"},
    "io": {"core"},
    "metrics": {"core", "kernels"},
    "neighbors": {"core", "kernels"},
    **{room: BELOW for room in ALGORITHMS},
    # A mixture starts from k-means and sums as covariances do.
    "mixture": BELOW | {"cluster", "reduce"},
    # Advice is what clusterers and mixtures say of a sample.
    "advise": BELOW | {"cluster", "mixture"},
    # The rows to label first are those nearest to centres.
    "curate": BELOW | {"cluster"},
    # Detectors are made of densities, clusters and components; nothing includes detectors but the pipeline.
    "anomaly": BELOW | {"cluster", "mixture", "reduce"},
    "report": BELOW | ALGORITHMS | {"io", "comm"},
    "pipeline": BELOW | ALGORITHMS | {"io", "comm", "report"},
    # Who starts the process chooses its ranks and its instruction set; all else it asks of the pipeline.
    "apps": {"pipeline", "report", "core", "comm", "kernels"},
    "python": {"pipeline", "report", "core", "comm", "kernels"},
}
# A test may make its input with the readers and run it on thread ranks, whatever its room.
TEST_ONLY = {"io", "comm"}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
SUFFIXES = {".h", ".cc", ".cpp"}


def room_of(path):
    """The room a path from the root stands in: sluice/NAME/..., or apps, python."""
    parts = pathlib.PurePosixPath(path).parts
    if len(parts) > 2 and parts[0] == "sluice":
        return parts[1]
    return parts[0] if len(parts) > 1 and parts[0] in ("apps", "python") else None


def is_test(path):
    return any(word in path.stem for word in ("_test", "_bench", "_fuzz", "_check"))


def offences(root):
    """Lines "file:line: what" of every include that goes against the arrows."""
    found = []
    for path in sorted(p for top in ("sluice", "apps", "python") for p in (root / top).rglob("*") if p.suffix in SUFFIXES):
        name = path.relative_to(root).as_posix()
        room = room_of(name)
        if room is None:
            continue
        if room not in ARROWS:
            found.append(f"{name}:1: room {room} has no arrows; name it in tools/check_arrows.py")
            continue
        allowed = ARROWS[room] | {room} | (TEST_ONLY if is_test(path) else set())
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            target = room_of(match.group(1)) if match else None
            if target and target not in allowed:
                found.append(f"{name}:{number}: {room} must not include {target} ({match.group(1)})")
    return found


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = offences(root)
    print("\n".join(found) if found else "arrows: all go one way")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
