#!/usr/bin/env bash
# Makes docs/demo/report.html (the digits pipeline's page) anew, and docs/img/report.png from it where there are node and chromium.
# SLUICE_BIN names another program than build/bin/sluice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.venv/bin:$PATH"
program=${SLUICE_BIN:-build/bin/sluice}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p docs/demo docs/img
"$program" run examples/digits/pipeline.yaml -o "$work/out" --quiet
cp "$work/out/report.html" docs/demo/report.html
echo "demo-report: docs/demo/report.html"

if ! command -v node >/dev/null; then
  echo "demo-report: no node, docs/img/report.png stays as it is"
  exit
fi
code=0
node tools/report_picture.mjs docs/demo/report.html "$work/report.png" || code=$?
if [ "$code" = 0 ]; then
  cp "$work/report.png" docs/img/report.png
  echo "demo-report: docs/img/report.png, $(stat -c %s docs/img/report.png) bytes"
elif [ "$code" = 77 ]; then
  echo "demo-report: docs/img/report.png stays as it is"
else
  exit "$code"
fi
