#!/usr/bin/env bash
# tools/lint.sh [all]: format and clang-tidy on the C++ files that differ from main, or on all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/setup.sh core python dev
tools/build.sh release program

base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse -q --verify main 2>/dev/null || true)
if [ "${1:-}" = all ] || [ -z "$base" ]; then files=$(tools/list_code.sh); else files=$(tools/list_code.sh "$base"); fi
[ -n "$files" ] || {
  echo "lint: nothing differs from main"
  exit 0
}
printf '%s\n' "$files" | xargs clang-format-19 --dry-run --Werror
# Only sources stand in the compile database; headers are seen through them.
sources=$(printf '%s\n' "$files" | grep -E '\.cc$' | grep -v -- '-inl' || true)
[ -z "$sources" ] || printf '%s\n' "$sources" | xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build --quiet
echo "lint: clean"
