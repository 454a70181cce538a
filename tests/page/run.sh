#!/bin/sh
# run.sh REPORT_SAMPLE [SCREENSHOT_DIR]. Exit 77: skipped, with the reason.
set -eu
if ! command -v node >/dev/null; then
  echo "SKIPPED: no node"
  exit 77
fi
exec node "$(dirname "$0")/page_test.mjs" "$@"
