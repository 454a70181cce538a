#!/usr/bin/env bash
# Every test, part by part: a part that fails does not stop the next, and the whole fails at the end.
# With names as arguments only these parts run: unit python checks sanitize page.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
# A node that setup put into .venv is found first.
export PATH="$PWD/.venv/bin:$PATH"
python=.venv/bin/python
jobs=${JOBS:-$(nproc)}

# Whatever is registered, so that a new label is not forgotten; pages have their own part, fuzz targets and long tests their own word.
unit_tests() {
  ctest --test-dir build -LE 'page|fuzz|long' --output-on-failure --no-tests=error --timeout 600 --parallel "$jobs"
}

python_tests() { "$python" -m pytest tests -q -ra -p no:cacheprovider --durations=10; }

checks() {
  "$python" tools/check_arrows.py && "$python" tools/check_lengths.py && "$python" tools/check_docs.py && check_format
}

check_format() {
  if ! command -v clang-format-19 >/dev/null; then
    echo "format: skipped, clang-format-19 is not here"
    return
  fi
  tools/list_code.sh | xargs clang-format-19 --dry-run --Werror && echo "format: clean"
}

# The rooms that read what strangers wrote and do arithmetic on pointers, under AddressSanitizer and UndefinedBehaviorSanitizer. All rooms:
# tools/proof.sh. The tests themselves take about three minutes on two cores; the rest is building. Left to the proof: a test of 21 whole
# sweeps, which goes the same ways as its neighbours.
sanitized_tests() {
  local rooms=(kernels core io neighbors cluster reduce mixture preprocess anomaly patterns pipeline)
  tools/build.sh asan "${rooms[@]/%/_test}" || return 1
  ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 GTEST_FILTER=-ChooseK.NoStructureWhereThereIsNone \
    ctest --test-dir build-asan -R "^($(IFS='|' && echo "${rooms[*]}"))$" --output-on-failure --no-tests=error --timeout 300 --parallel "$jobs"
}

page_tests() { ctest --test-dir build -L page --output-on-failure --no-tests=error --timeout 300; }

passed=0 failed=0 table=
# part NAME COMMAND...: runs it, keeps its seconds and its end.
part() {
  local name=$1 start=$SECONDS word=passed
  shift
  printf '\n==== %s\n' "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1)) word=FAILED
  fi
  table+=$(printf '%-10s %-7s %5d s' "$name" "$word" $((SECONDS - start)))$'\n'
  [ "$word" = passed ]
}

close() {
  printf '\n%s\nparts: %d passed, %d failed\n' "$table" "$passed" "$failed"
  [ "$failed" = 0 ]
  exit
}

[ $# -gt 0 ] || set -- unit python checks sanitize page
part setup tools/setup.sh core python page || close
part build tools/build.sh release || close
for name; do
  case $name in
    unit) part unit unit_tests ;;
    python) part python python_tests ;;
    checks) part checks checks ;;
    sanitize) part sanitize sanitized_tests ;;
    page) part page page_tests ;;
    *) echo "test: no part $name" >&2 && exit 2 ;;
  esac
done
close
