#!/usr/bin/env bash
# Micro-benchmarks of every room, then the comparison with other libraries. Results: bench/results/HOST/*.csv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=bench/results/$(hostname)
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
if [ -f bench/rivals/run.py ]; then .venv/bin/python bench/rivals/run.py --out "$out"; fi
