#!/usr/bin/env bash
# Micro-benchmarks of every room, then the comparison with other libraries. Results: bench/results/HOST/*.csv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=bench/results/$(python3 bench/rivals/machine.py)
mkdir -p "$out"
targets=$(ninja -C build -t targets all | sed -nE 's/^([a-z0-9_]+_bench): phony$/\1/p')
if [ -n "$targets" ]; then
  # shellcheck disable=SC2086
  tools/build.sh release $targets
  for target in $targets; do
    program=$(find build/bin -name "$target" -type f)
    "$program" --benchmark_format=csv --benchmark_min_time=0.2 >"$out/$target.csv"
    echo "bench: $out/$target.csv"
  done
fi
# By the table's maker last, so that docs/performance.md tells what was measured even where a quality was not equal.
equal=0
python3 bench/rivals/run.py all || equal=$?
python3 bench/rivals/table.py
exit "$equal"
