#!/bin/sh
# Installs the Debian packages that building needs (`setup.sh`), with `kafka` those of the Kafka engine as well, with `test` those of both and of the tests.
# Root or sudo installs them; anybody else gets the list. When all are there it does nothing.
set -eu

build='g++ cmake ninja-build libflatbuffers-dev flatbuffers-compiler libsimdjson-dev libxxhash-dev zlib1g-dev'
# librdkafka's libraries, and Python for node-gyp.
kafka='libssl-dev libzstd-dev liblz4-dev libsasl2-dev libcurl4-openssl-dev python3'
# A broker and a registry (Java, Maven), foreign clients (kcat, Python), certificates.
brokers='maven openjdk-17-jdk-headless kcat python3-venv openssl'
test="libboost-dev libgtest-dev clang-14 libclang-rt-14-dev chromium $brokers"

case ${1:-} in
  '') wanted=$build what=building ;;
  kafka) wanted="$build $kafka" what='building the Kafka engine' ;;
  test) wanted="$build $kafka $test" what='building and testing' ;;
  *) echo "usage: setup.sh [kafka | test]" >&2; exit 2 ;;
esac

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
  *chromium* | *maven*) echo "setup: installing$missing (a browser and Java are large: up to 350 MB, a minute or two)…" ;;
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
