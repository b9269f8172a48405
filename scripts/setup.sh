#!/bin/sh
# Installs the Debian packages that building needs (`setup.sh`) and, with `test`, those that the tests need as well.
# Root or sudo installs them; anybody else gets the list. When all are there it does nothing.
set -eu

build='g++ cmake ninja-build libflatbuffers-dev flatbuffers-compiler libsimdjson-dev libxxhash-dev zlib1g-dev'
test='libboost-dev libgtest-dev clang-14 libclang-rt-14-dev chromium'

wanted=$build
what=building
if [ "${1:-}" = test ]; then
  wanted="$build $test"
  what='building and testing'
fi

if ! command -v node >/dev/null 2>&1; then
  echo "tickwire needs Node 20 or newer; see https://nodejs.org" >&2
  exit 3
fi
if [ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 20')" != true ]; then
  echo "tickwire needs Node 20 or newer; this is $(node -v)" >&2
  exit 3
fi
if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
  echo "This is no Debian: install what these Debian packages hold (Node 20 or newer is here): $wanted"
  exit 0
fi

missing=
for package in $wanted; do
  case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
    installed) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  sudo=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  sudo=sudo
else
  echo "$what needs Debian packages that are not here. As root, run:" >&2
  echo "  apt-get install --no-install-recommends$missing" >&2
  exit 3
fi

case $missing in
  *chromium*) echo "setup: installing$missing (a browser is among them: about 100 MB, up to a minute)…" ;;
  *) echo "setup: installing$missing (a compiler and libraries: 10 to 30 s)…" ;;
esac
started=$(date +%s)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! { $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "setup: apt-get failed; the lines above say why" >&2
  exit 3
fi
echo "setup: installed in $(($(date +%s) - started)) s"
