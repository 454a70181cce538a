#!/usr/bin/env bash
# tools/build.sh PRESET [TARGET...]: configures once, builds the targets (default: all). A target that this tree lacks is left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=${1:?preset}
shift
[ $# -gt 0 ] || set -- all
dir=build-$preset
[ "$preset" != release ] || dir=build

# Configured anew when the presets changed; for the rest ninja knows by itself.
stamp=$dir/.presets
if [ ! -f "$dir/build.ninja" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$(sha256sum <CMakePresets.json)" ]; then
  cmake --preset "$preset" >"/tmp/sluice-configure-$$.log" || {
    cat "/tmp/sluice-configure-$$.log"
    exit 1
  }
  rm -f "/tmp/sluice-configure-$$.log"
  sha256sum <CMakePresets.json >"$stamp"
fi

targets=()
for target; do
  if [ "$target" = all ] || ninja -C "$dir" -t query "$target" >/dev/null 2>&1; then targets+=("$target"); fi
done
[ ${#targets[@]} -gt 0 ] || {
  echo "build: none of these is a target of $dir: $*" >&2
  exit 1
}
quiet=()
[ -t 1 ] || quiet=(-- --quiet)
exec cmake --build "$dir" --parallel "${JOBS:-$(nproc)}" --target "${targets[@]}" "${quiet[@]}"
