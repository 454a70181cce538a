#!/usr/bin/env bash
# The environment of the libraries that bench/rivals compares with: .venv-bench. Quick when it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=$(cat bench/rivals/requirements.txt tools/bench_setup.sh bench/rivals/faiss/newer_blas.c | sha256sum)
if [ "$(cat .venv-bench/.sluice-stamp 2>/dev/null)" = "$wanted" ] && .venv-bench/bin/python -c 'import sys' 2>/dev/null; then exit 0; fi
.venv-bench/bin/python -c 'import pip' 2>/dev/null || python3 -m venv --clear .venv-bench
.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: -r bench/rivals/requirements.txt </dev/null
# pyfim comes as C source only. Without a compiler its rows are skipped by name.
.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-binary pyfim pyfim==6.28 </dev/null ||
  echo "bench_setup: pyfim did not build; item sets have no peer" >&2
# Where there is no C compiler or scipy's wheel names its BLAS otherwise, faiss keeps its own.
blas=$(find .venv-bench/lib -path '*scipy.libs/libscipy_openblas*' -name '*.so' | head -n 1)
rm -f .venv-bench/newer_blas.so
if [ -z "$blas" ] || ! cc -O2 -shared -fPIC -o .venv-bench/newer_blas.so bench/rivals/faiss/newer_blas.c "$blas" -Wl,-rpath,"$(dirname "$PWD/$blas")"; then
  echo "bench_setup: faiss runs with the BLAS of its own wheel" >&2
fi
printf '%s\n' "$wanted" >.venv-bench/.sluice-stamp
