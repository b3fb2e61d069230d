#!/usr/bin/env bash
# Installs BUILD into ROOT; builds a C program against it by pkg-config and by find_package, runs
# both, and the installed intmill.
#   check.sh BUILD ROOT LIBDIR
set -euo pipefail
build=$1 root=$2 libdir=$3
here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$root"
mkdir -p "$root"
DESTDIR= cmake --install "$build" --prefix "$root/usr" >/dev/null

version=$(sed -nE 's/^#define INTMILL_VERSION +([0-9]+).*/\1/p' "$root/usr/include/intmill/intmill.h")
expect() {  # <what> <program>
  local answer
  answer=$("$2")
  [ "$answer" = "$version" ] || { echo "$1: the program says '$answer', $version wanted"; exit 1; }
  echo "$1: works"
}

if command -v pkg-config >/dev/null; then
  # A moved prefix, as distributions build; nothing but the library itself may be asked for.
  flags=$(PKG_CONFIG_PATH="$root/usr/$libdir/pkgconfig" pkg-config "--define-variable=prefix=$root/usr" \
    --cflags --libs intmill)
  # shellcheck disable=SC2086
  cc -std=c99 "$here/use.c" -o "$root/use" $flags "-Wl,-rpath,$root/usr/$libdir"
  expect pkg-config "$root/use"
fi

cmake -S "$here/project" -B "$root/by-package" "-DCMAKE_PREFIX_PATH=$root/usr" >/dev/null
cmake --build "$root/by-package" >/dev/null
expect find_package "$root/by-package/use"

jar=$root/usr/share/java/intmill.jar
if [ -e "$jar" ]; then
  use_java() {
    LD_LIBRARY_PATH="$root/usr/$libdir" java "-Djava.library.path=$root/usr/$libdir/jni" -cp "$jar" \
      "$here/../bindings/java/PrintVersion.java"
  }
  expect java use_java
fi

if [ -x "$root/usr/bin/intmill" ]; then
  LD_LIBRARY_PATH="$root/usr/$libdir" "$root/usr/bin/intmill" --help >/dev/null
  echo "program: works"
fi
