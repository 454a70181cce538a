#!/usr/bin/env bash
# What takes too long for `make test`: the full matrix, every room under the sanitizers, threads under tsan, fuzzing, the build without
# plug-ins. Writes the dated table docs/proof.md; a row that fails is in the table too, and the whole fails.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
page=docs/proof.md
logs=build/proof
failed=0

# Builds every unit test of a preset and runs it.
units_of() {
  tools/build.sh "$1" && ctest --test-dir "build-$1" -L unit --output-on-failure --no-tests=error --timeout 3600
}

row() {
  local name=$1 start=$SECONDS word=passed said
  shift
  printf '==== %s\n' "$name"
  "$@" >"$logs/$name.log" 2>&1 || {
    word=FAILED failed=$((failed + 1))
    tail -n 40 "$logs/$name.log"
  }
  said=$(grep -E 'tests passed|[0-9]+ passed|lint: clean' "$logs/$name.log" | tail -n 1 | tr -d '=|')
  printf '| %s | %s | %d s | %s |\n' "$name" "$word" $((SECONDS - start)) "$said" >>"$page"
}

tools/setup.sh core python page dev || exit 1
mkdir -p "$logs"
{
  printf '# Proof\n\nWritten by `make proof`; each row is a run from this tree.\n\n'
  printf 'Date: %s. Commit: %s. Processor: %s, %s cores.\n\n' "$(date -u +%F)" "$(git describe --always --dirty 2>/dev/null)" \
    "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)"
  printf '| what | end | time | closing line |\n|---|---|---|---|\n'
} >"$page"
row test tools/test.sh
row determinism make determinism
row asan units_of asan
row tsan units_of tsan
row no-optional units_of no-optional
row fuzz tools/fuzz.sh
row lint tools/lint.sh all
cat "$page"
[ "$failed" = 0 ]
