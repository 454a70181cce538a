#!/bin/sh
# Builds sluice/report/page.js and page.css from src/. Both are kept in the repository: building sluice needs no node.
#   build.sh            installs the pinned packages, checks types, builds
#   build.sh OUT_DIR    builds into OUT_DIR with what is installed
set -eu
cd "$(dirname "$0")"
out="${1:-../sluice/report}"
if [ $# -eq 0 ]; then
  npm ci --no-audit --no-fund --ignore-scripts
fi
npx --no-install tsc --noEmit
esbuild="npx --no-install esbuild --log-level=warning --charset=ascii"
$esbuild src/main.ts --bundle --format=iife --target=es2021 --minify --legal-comments=none --outfile="$out/page.js"
$esbuild src/page.css --minify --outfile="$out/page.css"
