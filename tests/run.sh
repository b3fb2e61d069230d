#!/usr/bin/env bash
# Builds intmill and runs every test and gate; the last line counts them. Exit status 1 when one failed.
#
#   tests/run.sh            release build with everything, then everything but the gates under
#                           AddressSanitizer and UndefinedBehaviorSanitizer
#   tests/run.sh --all      that, the sanitizers run the long tests of the whole job, too, and the Debian packages
#                           are built and tried in Debian 13 roots: an hour more
#   tests/run.sh --quick    the dev build and its fast tests only
#   tests/run.sh --tsan     the plain programs under ThreadSanitizer only (Criterion cannot run there)
set -uo pipefail
cd "$(dirname "$0")/.."

started=$SECONDS
say() { printf '[%4d s] %s\n' $((SECONDS - started)) "$*"; }

# Something that every test needs is broken: the count is one failure.
give_up() {
  say "$*"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

build() {  # <preset> <folder>
  local log=$2/build.log
  mkdir -p "$2"
  say "$1: configure"
  cmake --preset "$1" >"$log" 2>&1 || { cat "$log"; give_up "$1: configure failed"; }
  say "$1: build"
  cmake --build "$2" >>"$log" 2>&1 || { tail -60 "$log"; give_up "$1: build failed"; }
}

run_tests() {  # <preset> <folder> [ctest argument ...]
  local preset=$1 folder=$2
  shift 2
  say "$preset: test"
  rm -f "$folder"/Testing/*.tap
  ctest --test-dir "$folder" --output-on-failure --output-junit junit.xml -j "$jobs" "$@"
  [ -s "$folder/junit.xml" ] || give_up "$preset: ctest wrote no report"
  grep -h '^scenario in ' "$folder/Testing/Temporary/LastTest.log"  # a line a language
}

jobs=$(nproc)
export CTEST_PARALLEL_LEVEL=$jobs

mode=${1-}
case "$mode" in
  "" | --all | --quick | --tsan) ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

say "dependencies"
# shellcheck disable=SC2046
tools/install-deps.sh $(case "$mode" in --tsan) echo --tsan ;; --all) echo --packages ;; esac) || give_up "dependencies are missing"

case "$mode" in
  --quick)
    build dev build
    run_tests dev build -LE slow
    tools/count_tests.py build
    exit ;;
  --tsan)
    build tsan build-tsan
    run_tests tsan build-tsan -E '^gate'
    tools/count_tests.py build-tsan
    exit ;;
esac

build release build-release
# shellcheck disable=SC2046
run_tests release build-release $([ "$mode" != --all ] || echo -C All)

# Under gates nothing of ours runs, so they are not repeated.
build asan build-asan
# shellcheck disable=SC2046
run_tests asan build-asan -E '^gate' $([ "$mode" = --all ] || echo -LE whole)

say "done"
tools/count_tests.py build-release build-asan
