#!/usr/bin/env bash
# The environment of the libraries that bench/rivals compares with: .venv-bench. Quick when it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=bench/rivals/requirements.txt
if ! cmp -s "$wanted" .venv-bench/installed.txt; then
  python3 -m venv .venv-bench
  .venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r "$wanted"
  cp "$wanted" .venv-bench/installed.txt
fi
