#!/usr/bin/env bash
# Builds the Debian packages of the files that git knows, in a Debian 13 root and from two folders, and wants the same
# bytes; lints them; installs them with apt in another, fresh root, where debian/tests must pass; removes them, and
# finds nothing left. Needs root, mmdebstrap, git and a Debian mirror.
#   packages.sh FOLDER [once]     once: builds from one folder only, which takes half the time
# FOLDER keeps the roots for the next time (some 5 GB) and the packages (FOLDER/packages).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
builds=${2-twice}
suite=trixie

skip() { echo "packages: skipped, $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "only root can make a root"
for tool in mmdebstrap git unshare; do
  command -v $tool >/dev/null || skip "$tool is missing; run tools/install-deps.sh --all"
done
started=$SECONDS
say() { printf '[%4d s] %s\n' $((SECONDS - started)) "$*"; }

tap=$folder/packages.tap
: >"$tap"
check() {  # <name> <command ...>: a line in the TAP file; the log where it fails
  local name=$1 log=$folder/log
  shift
  say "$name"
  if "$@" >"$log" 2>&1; then
    echo "ok - $name" >>"$tap"
    grep -E '(: works|^neighbours: |^packages: )' "$log" || true
  else
    echo "not ok - $name" >>"$tap"
    tail -100 "$log"
    finish
  fi
}

finish() {
  if [ -n "${INTMILL_BUILD-}" ]; then cp "$tap" "$INTMILL_BUILD/Testing/packages.tap"; fi
  say "$(grep -c '^ok' "$tap") passed, $(grep -c '^not ok' "$tap") failed"
  ! grep -q '^not ok' "$tap"
  exit
}

# The mirror that this machine uses.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
  awk '$2 == "main" && $1 !~ /security|^(cdrom|file):/ { print $1; exit }')
[ -n "$mirror" ] || skip "no Debian mirror found in this machine's apt sources"

# The packages that fields of a control file ask for, without ours, versions and profiles.
wanted() {  # <field pattern> <file>
  awk -v "field=^($1):" '/^[A-Z#]/ { on = $0 ~ field; sub(/^[^:]*:/, "") } on' "$2" |
    sed 's/([^)]*)//g; s/<[^>]*>//g' | tr ',' '\n' | tr -d ' ' | grep -vE '^$|^(lib|python3-)?intmill' | sort -u
}

# root <name> <variant> <package ...>: the path of a root with these packages, made where it is not there.
root() {
  local name=$1 variant=$2 list
  shift 2
  list=$(printf '%s,' "$@")
  local path=$folder/roots/$name-$(printf '%s' "$suite $variant $list" | sha256sum | cut -c 1-12)
  if [ ! -e "$path" ]; then
    rm -rf "$folder/roots/$name"-*
    mkdir -p "$folder/roots"
    mmdebstrap --mode=root --variant="$variant" --dpkgopt=force-unsafe-io --include="${list%,}" \
      "$suite" "$path.part" "deb $mirror $suite main" >"$folder/root-$name.log" 2>&1 || { tail -20 "$folder/root-$name.log" >&2; return 1; }
    mv "$path.part" "$path"
  fi
  echo "$path"
}

# inside <root> <layer> <script> [argument ...]: runs it in the root; what it writes goes to the layer, and
# the root stays as it is.
inside() {
  local lower=$1 layer=$2
  shift 2
  mkdir -p "$layer/upper" "$layer/work" "$layer/merged"
  unshare --mount --pid --fork --ipc --uts bash -euc '
    lower=$1 layer=$2
    shift 2
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$layer/upper,workdir=$layer/work" "$layer/merged"
    mount --rbind /dev "$layer/merged/dev"
    mount -t proc proc "$layer/merged/proc"
    exec chroot "$layer/merged" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
  ' bash "$lower" "$layer" "$@"
}

fresh() {  # <layer>: an empty one
  rm -rf "$folder/layers/$1"
  mkdir -p "$folder/layers/$1/upper"
  echo "$folder/layers/$1"
}

put_source() {  # <folder>: what git knows, as it is in the work tree
  mkdir -p "$1"
  git -C "$source" ls-files -z | tar -C "$source" --null --files-from=- -c | tar -C "$1" --no-same-owner -x
}

build() {  # <layer> <path in the root>
  put_source "$1/upper/$2" &&
    inside "$build_root" "$1" sh "$2/tests/install/in_root/build.sh" "$2"
}

same_bytes() {
  build "$(fresh build-2)" /var/lib/elsewhere/in-a-longer-name/intmill &&
    (cd "$folder/layers/build-1/upper/out" && sha256sum -- *.deb *.dsc *.tar.xz) >"$folder/sums" &&
    (cd "$folder/layers/build-2/upper/out" && sha256sum -c "$folder/sums") &&
    echo "packages: $(wc -l <"$folder/sums") files are the same from both folders"
}

say "roots"
# shellcheck disable=SC2046
build_root=$(root build buildd lintian blhc $(wanted 'Build-Depends|Build-Depends-Indep' "$source/debian/control"))
# shellcheck disable=SC2046
use_root=$(root use apt $(wanted Depends "$source/debian/tests/control"))

check "the packages are built" build "$(fresh build-1)" /build/intmill
mkdir -p "$folder/packages"
rm -f "$folder/packages"/*
cp "$folder/layers/build-1/upper/out"/* "$folder/packages"
check "lintian and blhc have nothing to say" inside "$build_root" "$folder/layers/build-1" \
  sh /build/intmill/tests/install/in_root/lint.sh /out
if [ "$builds" = twice ]; then
  check "another folder gives the same bytes" same_bytes
fi

layer=$(fresh use)
put_source "$layer/upper/srv/source"
mkdir -p "$layer/upper/srv/packages" "$layer/upper/etc"
cp "$folder/packages"/*.deb "$layer/upper/srv/packages"
cp -L /etc/resolv.conf /etc/hosts "$layer/upper/etc"
step() { inside "$use_root" "$layer" bash /srv/source/tests/install/in_root/use.sh "$@"; }
check "apt installs them" step install
for name in $(sed -nE 's/^Tests: //p' "$source/debian/tests/control"); do
  check "debian/tests/$name passes" step test "$name"
done
check "nothing is left when they are removed" step remove
rm -rf "$folder/layers"
finish
