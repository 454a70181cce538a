#!/bin/sh
# Fails where the kept page.js or page.css is not what src/ gives. Exit 77: cannot tell, the packages are not installed.
set -eu
cd "$(dirname "$0")"
if ! command -v npx >/dev/null || [ ! -d node_modules/esbuild ] || [ ! -d node_modules/typescript ]; then
  echo "SKIPPED: run explorer/build.sh once, so that its packages are installed"
  exit 77
fi
fresh="$(mktemp -d)"
trap 'rm -rf "$fresh"' EXIT
./build.sh "$fresh"
status=0
for name in page.js page.css; do
  if ! cmp "$fresh/$name" "../sluice/report/$name"; then
    echo "sluice/report/$name is stale: run explorer/build.sh"
    status=1
  fi
done
exit $status
