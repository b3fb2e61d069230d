#!/usr/bin/env bash
# Installs what building and testing intmill needs, on Debian 12 and 13. Does nothing twice, and
# needs no network when everything is there.
#
#   tools/install-deps.sh            what building, testing and checking need
#   tools/install-deps.sh --build    only what building and the quick start need
#   tools/install-deps.sh --tsan     also what the tsan preset needs
#   tools/install-deps.sh --packages also what building and trying the Debian packages needs
#   tools/install-deps.sh --bench    also ONNX Runtime, for tests/bench; Debian 13 and later
#   tools/install-deps.sh --list     say what is missing, install nothing; exit status 1 if anything is
set -euo pipefail

readonly kSourceFile=/etc/apt/sources.list.d/intmill-trixie.sources
readonly kPinFile=/etc/apt/preferences.d/intmill-trixie

readonly kBuild=(g++ cmake ninja-build ccache libprotozero-dev libxxhash-dev libcli11-dev
  nlohmann-json3-dev libpng-dev libjpeg-dev zlib1g-dev)
readonly kTest=(libcriterion-dev libcjson-dev pkg-config python3 python3-numpy python3-onnx
  python3-setuptools python3-wheel python3-pip python3-venv python3-tqdm mypy patchelf zstd groff-base clang
  clang-tidy clang-format libomp-dev binutils abigail-tools default-jdk-headless junit5)
readonly kTsan=(libclang-rt-dev)
readonly kPackages=(mmdebstrap git)
readonly kBench=(libonnxruntime-dev)
# Debian 12 has these too old; each with the oldest version that will do.
readonly kRecent=(libdnnl-dev=3.6 libflatbuffers-dev=23.5 flatbuffers-compiler=23.5)

say() { printf 'install-deps: %s\n' "$*"; }
fail() { say "$*" >&2; exit 2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# The apt-get calls: no questions, no suggestions, and patience with a busy or slow mirror.
apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"
}

installed_version() {  # empty when the package is not installed
  dpkg-query -W -f='${db:Status-Status} ${Version}\n' "$1" 2>/dev/null |
    awk '$1 == "installed" { print $2; exit }' || true
}

at_least() { [ -n "$1" ] && dpkg --compare-versions "$1" ge "$2"; }

candidate_version() { apt-cache policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'; }

find_missing() {  # fills missing (from the machine's own suite) and missing_recent
  missing=() missing_recent=()
  local package
  for package in "${wanted[@]}"; do
    [ -n "$(installed_version "$package")" ] || missing+=("$package")
  done
  for package in "${kRecent[@]}"; do
    at_least "$(installed_version "${package%=*}")" "${package#*=}" || missing_recent+=("${package%=*}")
  done
}

# True when the machine's own suite has oneDNN and FlatBuffers new enough (Debian 13 and later).
own_suite_is_recent() {
  local package
  for package in "${kRecent[@]}"; do
    at_least "$(candidate_version "${package%=*}")" "${package#*=}" || return 1
  done
}

# The mirror this machine already uses: the first plain suite (no -updates, no -security) in its
# own apt sources.
own_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 !~ /[-\/]/ && $3 == "main" && $1 !~ /^(cdrom|file):/ { print $1; exit }'
}

# Debian 12 has no ONNX Runtime, and that of trixie would take apt, systemd and Python along: some 70
# packages upgraded, 15 removed.
check_onnxruntime() {
  case " ${missing[*]} " in *" libonnxruntime-dev "*) ;; *) return 0 ;; esac
  if [ -e "$kSourceFile" ] || [ -z "$(candidate_version libonnxruntime-dev)" ]; then
    fail "libonnxruntime-dev is not in this machine's own suite; tests/bench/README.md says how to" \
      "build with ONNX Runtime's header alone"
  fi
}

add_trixie() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(own_mirror)
  [ -n "$mirror" ] || fail "no Debian mirror found in this machine's apt sources"
  say "adding suite trixie from $mirror ($kSourceFile)"
  say "with pin priority 100 ($kPinFile): nothing is taken from it unless asked for by name"
  {
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\n' "$mirror"
    [ ! -e "$keyring" ] || printf 'Signed-By: %s\n' "$keyring"
  } | as_root tee "$kSourceFile" >/dev/null
  printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' | as_root tee "$kPinFile" >/dev/null
}

install_own() {
  local extra=()
  # The clang runtimes pull in libc6-i386, which must be of the libc that is there now: where that
  # came from trixie, apt would look in the own suite only.
  case " ${missing[*]} " in
    *" libclang-rt-dev "*) [ "$(dpkg --print-architecture)" != amd64 ] ||
      extra=("libc6-i386=$(installed_version libc6)") ;;
  esac
  apt install -y --no-install-recommends "${missing[@]}" "${extra[@]}"
}

install_recent() {
  if own_suite_is_recent; then
    apt install -y --no-install-recommends "${missing_recent[@]}"
    return
  fi
  if [ ! -e "$kSourceFile" ]; then
    add_trixie
    apt update -qq
  fi
  say "taking ${missing_recent[*]} from trixie; apt upgrades what they depend on, libc among it"
  apt install -y --no-install-recommends -t trixie "${missing_recent[@]}"
}

main() {
  wanted=("${kBuild[@]}" "${kTest[@]}")
  local list_only=0
  case "${1-}" in
    '') ;;
    --build) wanted=("${kBuild[@]}") ;;
    --tsan) wanted+=("${kTsan[@]}") ;;
    --packages) wanted+=("${kPackages[@]}") ;;
    --bench) wanted+=("${kBench[@]}") ;;
    --list) list_only=1 ;;
    *) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  command -v apt-get >/dev/null || fail "this script knows Debian 12 and 13 only (no apt-get here)"

  find_missing
  if [ ${#missing[@]} = 0 ] && [ ${#missing_recent[@]} = 0 ]; then
    say "everything is there"
    return
  fi
  [ ${#missing[@]} = 0 ] || say "to install from this machine's own suite: ${missing[*]}"
  [ ${#missing_recent[@]} = 0 ] ||
    say "to install, from trixie where the own suite is too old: ${missing_recent[*]}"
  [ $list_only = 0 ] || exit 1

  apt update -qq
  check_onnxruntime
  [ ${#missing[@]} = 0 ] || install_own
  [ ${#missing_recent[@]} = 0 ] || install_recent
  find_missing
  [ ${#missing[@]} = 0 ] && [ ${#missing_recent[@]} = 0 ] ||
    fail "still missing: ${missing[*]} ${missing_recent[*]}"
  say "done"
}

main "$@"
