#!/usr/bin/env bash
# The C++ files of this project, one a line: what the format and lint checks look at. With an argument: only those that differ from it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# -gt 0 ]; then
  { git diff --name-only --diff-filter=d "$1" --; git ls-files --others --exclude-standard; } | sort -u
else
  git ls-files --cached --others --exclude-standard | sort -u
fi | grep -E '^(sluice|apps|tests|bench|examples|python)/.*\.(h|cc|cpp)$' | while read -r path; do [ ! -f "$path" ] || printf '%s\n' "$path"; done
