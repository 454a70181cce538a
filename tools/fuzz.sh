#!/usr/bin/env bash
# Each libFuzzer target for FUZZ_SECONDS (60), from the corpus kept beside it (ROOM/fuzz/corpus/NAME). New inputs go to build-fuzz/corpus,
# crashes to build-fuzz/found: mend the reader, then keep the input in the corpus, which `ctest -L fuzz` replays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/setup.sh core python dev
tools/build.sh fuzz
ran=0 failed=0
for program in build-fuzz/bin/*_fuzz; do
  [ -x "$program" ] || continue
  name=$(basename "$program" _fuzz)
  kept=$(find sluice -type d -path "*/fuzz/corpus/$name" -print -quit)
  mkdir -p "build-fuzz/corpus/$name" build-fuzz/found
  ran=$((ran + 1))
  printf '==== %s\n' "$name"
  "$program" -max_total_time="${FUZZ_SECONDS:-60}" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/found/$name-" "build-fuzz/corpus/$name" ${kept:+"$kept"} 2>"build-fuzz/$name.log" || failed=$((failed + 1))
  grep -E 'ERROR|SUMMARY|number_of_executed_units|new_units_added' "build-fuzz/$name.log" || true
done
[ "$ran" -gt 0 ] || {
  echo "fuzz: no target was built" >&2
  exit 1
}
printf 'fuzz: %d passed, %d failed\n' $((ran - failed)) "$failed"
[ "$failed" = 0 ]
