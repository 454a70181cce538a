#!/usr/bin/env python3
"""No file of code above 500 lines, no function above 100, unless a comment `long: reason` says why.

For a function it stands in the comment block just above it, for a file among its first ten lines (as `long file: reason`).
usage: check_lengths.py [ROOT]
"""
import ast
import pathlib
import re
import sys

MAX_FILE = 500
MAX_FUNCTION = 100
TOPS = ("sluice", "apps", "python", "explorer", "tests", "tools", "bench", "examples")
BRACES = {".h", ".cc", ".cpp", ".ts", ".js"}
# Written by a tool from what stands beside it.
MADE = {"sluice/report/page.js"}
LONG = re.compile(r"(//|#).*\blong: \S")
LONG_FILE = re.compile(r"(//|#|\*).*\blong file: \S")
# A brace after one of these words at the start of a statement opens a scope, not a body; what is in it is looked at by itself.
SCOPE = re.compile(r"^(export\s+|inline\s+|typedef\s+|template\s*<.*>\s*)*(namespace|class|struct|union|enum|extern|interface|declare)\b")
CONTROL = re.compile(r"^(\}\s*)?(if|for|while|switch|do|else|try|catch|return)\b")


def blank_literals(text, typescript=False):
    """The text with comments and literals turned to blanks, lines kept, so that braces can be counted."""
    quotes = '"|\'|`' if typescript else "\"|'"
    pattern = re.compile(
        r"//[^\n]*|/\*.*?\*/"
        + ("" if typescript else r"|R\"(?P<d>[^(\s]*)\(.*?\)(?P=d)\"|(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])")
        + rf"|(?P<q>{quotes})(?:\\.|(?!(?P=q)).)*?(?P=q)",
        re.DOTALL,
    )
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def brace_functions(text, typescript=False):
    """(name, first line, last line) of each outermost function body of a C++ or TypeScript text."""
    clean = blank_literals(text, typescript)
    clean = re.sub(r"(?m)^\s*#.*(?:\\\n.*)*$", lambda m: re.sub(r"[^\n]", " ", m.group()), clean) if not typescript else clean
    functions, stack, head, head_line, line = [], [], "", 1, 1
    inside = 0  # how many bodies are open: what is within one is part of it
    for char in clean:
        if char == "{":
            words = head.strip()
            body = not inside and "(" in words and not SCOPE.match(words) and not CONTROL.match(words)
            stack.append((body, words, head_line))
            inside += body
            head = ""
        elif char == "}":
            if stack:
                body, words, start = stack.pop()
                if body:
                    inside -= 1
                    functions.append((name_of(words), start, line))
            head = ""
        elif char == ";" and head.count("(") <= head.count(")"):
            head = ""
        else:
            if not head.strip() and not char.isspace():
                head, head_line = "", line
            head += char
        line += char == "\n"
    return functions


def name_of(words):
    match = re.search(r"([A-Za-z_~][\w:~]*)\s*\(", words)
    return match.group(1) if match else "?"


def python_functions(text):
    tree = ast.parse(text)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(n.name, min([n.lineno] + [d.lineno for d in n.decorator_list]), n.end_lineno) for n in ast.walk(tree) if isinstance(n, kinds)]


def has_reason(lines, start):
    """Whether the comment block just above line `start` (counted from 1) says `long: reason`."""
    at = start - 2
    while at >= 0 and lines[at].lstrip().startswith(("//", "#", "*", "/*")):
        if LONG.search(lines[at]):
            return True
        at -= 1
    return False


def offences_of(name, text):
    lines = text.splitlines()
    found = []
    if len(lines) > MAX_FILE and not any(LONG_FILE.search(line) for line in lines[:10]):
        found.append(f"{name}:1: {len(lines)} lines, more than {MAX_FILE}")
    suffix = pathlib.PurePosixPath(name).suffix
    functions = python_functions(text) if suffix == ".py" else brace_functions(text, suffix in (".ts", ".js"))
    for function, start, end in functions:
        if end - start + 1 > MAX_FUNCTION and not has_reason(lines, start):
            found.append(f"{name}:{start}: {function} has {end - start + 1} lines, more than {MAX_FUNCTION}")
    return found


def code_files(root):
    for top in TOPS:
        for path in sorted((root / top).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in BRACES | {".py"} and path.is_file() and "node_modules" not in path.parts and name not in MADE:
                yield name, path


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    count, found = 0, []
    for name, path in code_files(root):
        count += 1
        found += offences_of(name, path.read_text(encoding="utf-8"))
    print("\n".join(found) if found else f"lengths: {count} files within {MAX_FILE} lines, functions within {MAX_FUNCTION}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
