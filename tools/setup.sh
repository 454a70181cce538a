#!/usr/bin/env bash
# Installs what a group of work needs; does nothing where it is there already, and asks for nothing.
#
#   tools/setup.sh [GROUP...]      groups: core (build and run), python (.venv), test, dev, page, runtime; default: core python
#
# Debian packages stand in tools/packages/GROUP.txt, Python's in tools/requirements.txt, the page's in explorer/package-lock.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: error: %s\n' "$*" >&2
  exit 1
}

listed() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1" | tr -d '[:blank:]'; }

# Names from the standard input that dpkg does not know as installed.
missing_packages() {
  local name
  while read -r name; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
  done
}

install_packages() {
  local -a names=("$@") as_root=()
  [ ${#names[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      fail "these packages are missing and installing them needs root (or sudo without a password); as root run: apt-get install --no-install-recommends ${names[*]}"
    fi
    as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
  fi
  local -a options=(-qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
  say "installing ${names[*]}"
  "${as_root[@]}" apt-get "${options[@]}" update </dev/null
  "${as_root[@]}" apt-get "${options[@]}" install -y --no-install-recommends "${names[@]}" </dev/null >/dev/null
}

setup_packages() {
  local group=$1 names
  command -v apt-get >/dev/null || fail "no apt-get here; install by hand what tools/packages/$group.txt names"
  names=$(listed "tools/packages/$group.txt" | missing_packages)
  # Words of $names are package names, so splitting is meant.
  # shellcheck disable=SC2086
  install_packages $names
}

find_python() {
  local python
  for python in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$python"
      return
    fi
  done
  fail "no Python from 3.11 on with venv; install python3 and python3-venv"
}

setup_python() {
  local stamp python
  stamp=$(sha256sum <tools/requirements.txt)
  if [ "$(cat .venv/.sluice-stamp 2>/dev/null)" = "$stamp" ] && .venv/bin/python -c 'import sys' 2>/dev/null; then return; fi
  python=$(find_python)
  say "making .venv with $("$python" --version)"
  .venv/bin/python -c 'import pip' 2>/dev/null || "$python" -m venv --clear .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: -r tools/requirements.txt </dev/null
  printf '%s\n' "$stamp" >.venv/.sluice-stamp
}

# Node and its packages: only to test the report's page and to change its script (the built script is in the repository).
# Debian 12's node is older than the browser driver asks for, so where there is none from 20 on, a wheel brings one into .venv.
setup_page() {
  local stamp
  setup_packages test
  setup_python
  export PATH="$PWD/.venv/bin:$PATH"
  if ! { command -v npm && node -e 'process.exit(parseInt(process.versions.node) < 20)'; } >/dev/null 2>&1; then
    say "installing node"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: -r tools/requirements-page.txt </dev/null
  fi
  stamp=$(sha256sum <explorer/package-lock.json)
  if [ "$(cat explorer/node_modules/.sluice-stamp 2>/dev/null)" = "$stamp" ]; then return; fi
  say "installing the page's packages"
  (cd explorer && npm ci --silent --no-audit --no-fund --ignore-scripts </dev/null)
  printf '%s\n' "$stamp" >explorer/node_modules/.sluice-stamp
}

[ $# -gt 0 ] || set -- core python
for group in "$@"; do
  case $group in
    core | test | dev | runtime) setup_packages "$group" ;;
    python) setup_python ;;
    page) setup_page ;;
    *) fail "no group $group; there are core, python, test, dev, page, runtime" ;;
  esac
done
say "ready ($*)"
