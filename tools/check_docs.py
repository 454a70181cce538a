#!/usr/bin/env python3
"""The pages hold together: relative links lead to a file, coverage.md uses the known states and names tests that are there.

usage: check_docs.py [ROOT]
"""
import pathlib
import re
import sys

LINK = re.compile(r"(?<!\\)!?\[[^\]]*\]\(([^)\s]+)\)")
STATES = {"works", "partial", "planned"}


def pages(root):
    return sorted(p for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md") for p in root.glob(pattern))


def broken_links(root):
    found = []
    for page in pages(root):
        text = re.sub(r"```.*?```", lambda m: "\n" * m.group().count("\n"), page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for number, line in enumerate(text.splitlines(), 1):
            for target in LINK.findall(line):
                file = target.split("#")[0]
                if file and "://" not in target and not target.startswith("mailto:") and not (page.parent / file).exists():
                    found.append(f"{page.relative_to(root)}:{number}: no file {file}")
    return found


def coverage_rows(text):
    """(line, cells) of each row under a heading row that begins with "Section"."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[0] == "Section":
            inside = True
        elif inside and set(cells[0]) - set("-: "):
            yield number, cells


def coverage_offences(root):
    page = root / "docs/coverage.md"
    if not page.exists():
        return []
    found = []
    for number, cells in coverage_rows(page.read_text(encoding="utf-8")):
        where = f"docs/coverage.md:{number}"
        if len(cells) != 5:
            found.append(f"{where}: {len(cells)} cells, not 5")
            continue
        _, _, _, test, state = cells
        if state not in STATES:
            found.append(f"{where}: state {state!r} is none of {', '.join(sorted(STATES))}")
        named = [t for t in re.findall(r"`([^`]+)`", test) if "/" in t]
        if state == "works" and not named:
            found.append(f"{where}: works, but no test is named")
        found += [f"{where}: no test {t}" for t in named if state != "planned" and not (root / t).exists()]
    return found


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = broken_links(root) + coverage_offences(root)
    print("\n".join(found) if found else f"docs: {len(pages(root))} pages, links and coverage hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
