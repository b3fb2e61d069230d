#!/usr/bin/env bash
# Builds the C# binding, its tests and its samples, once, without a network, and runs them, with the
# scenario that all languages share and the soak. With a sanitized library, only the tests.
#   run.sh BUILD [PACKAGE_FOLDER]
# Packages (xunit, the test SDK) come from PACKAGE_FOLDER, $INTMILL_NUGET_PACKAGES, or the first of the
# usual places that has xunit.
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
export INTMILL_REPOSITORY=$root

skip() { echo "binding_csharp: skipped, $*"; exit 77; }
command -v dotnet >/dev/null || skip "no .NET SDK (dotnet)"
major=$(dotnet --version 2>/dev/null | sed -nE 's/^([0-9]+)\..*/\1/p')
[ "${major:-0}" -ge 8 ] || skip "no .NET SDK 8 or later"

packages=
for folder in "${2-}" "${INTMILL_NUGET_PACKAGES-}" "${NUGET_PACKAGES-}" /opt/*/packages \
    /usr/share/*/packages /usr/local/share/*/packages "$HOME/.nuget/packages"; do
  [ -d "$folder/xunit" ] && packages=$folder && break
done
[ -n "$packages" ] || skip "no folder of NuGet packages with xunit; INTMILL_NUGET_PACKAGES names one"

out=$build/Testing/csharp
mkdir -p "$out"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_HOME=$out/home
export LD_LIBRARY_PATH=$build${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
if ! dotnet build "$here/Intmill.Tests.csproj" -c Release --artifacts-path "$out/artifacts" \
    -p:RestoreSources="$packages" -p:RestoreFallbackFolders="$packages" \
    -p:RunAnalyzers=false -p:UseSharedCompilation=false -nodeReuse:false -v quiet >"$out/build.log" 2>&1; then
  cat "$out/build.log"
  exit 1
fi
program=$out/artifacts/bin/Intmill.Tests/release/Intmill.Tests.dll

# A sanitizer's runtime must be there first; .NET handles SIGSEGV itself, and does not free at exit.
sanitize=()
runtimes=$(ldd "$build/libintmill.so.0" | awk '/lib(asan|ubsan)/ { print $3 }')
if [ -n "$runtimes" ]; then
  sanitize=(env "LD_PRELOAD=${runtimes//$'\n'/ }" ASAN_OPTIONS=handle_segv=0:use_sigaltstack=0:detect_leaks=0)
fi

failed=0
rm -f "$out"/tests.trx "$out/tap"
"${sanitize[@]}" dotnet vstest "$program" --logger:"trx;LogFileName=tests.trx" --ResultsDirectory:"$out" \
  >"$out/tests.log" 2>&1 || { cat "$out/tests.log"; failed=1; }
python3 "$here/../tap.py" "$out/tests.trx" >"$out/tap" || failed=1

check() {  # <name> <command ...>: runs it, and adds a line to the TAP file
  local name=$1
  shift
  if "$@" >"$out/log" 2>&1; then
    echo "ok - $name" >>"$out/tap"
  else
    echo "not ok - $name" >>"$out/tap"
    failed=1
    tail -100 "$out/log"
  fi
}
if [ -n "$runtimes" ]; then  # the rest would take long
  mv "$out/tap" "$build/Testing/binding_csharp.tap"
  exit $failed
fi

check "sample 01" dotnet "$program" 01
check "sample 02" dotnet "$program" 02 "$root/samples/data"
check "sample 03" dotnet "$program" 03 "$root/samples/data" "$out/fashion_cnn.im"
check "sample 04" dotnet "$program" 04 "$root/samples/data"
if [ -x "$build/tests/bindings/scenario_c" ] && [ -e "$here/../compare.py" ]; then
  check scenario python3 "$here/../compare.py" csharp "$build/tests/bindings/scenario_c" -- \
    dotnet "$program" scenario
  tail -1 "$out/log"
fi
check soak dotnet "$program" soak "$here/../relu.onnx" 1000000 10000
if [ -x "$build/tests/bindings/overhead_c" ] && [ -e "$here/../overhead.py" ]; then
  check overhead python3 "$here/../overhead.py" --runs 200000 --most 2 \
    "$build/tests/bindings/overhead_c" -- dotnet "$program" soak
  tail -1 "$out/log"
fi

# What `dotnet pack` makes holds the library for those who have none.
pack() {
  rm -f "$out"/*.nupkg
  dotnet pack "$root/bindings/csharp/Intmill.csproj" -c Release --no-build \
    --artifacts-path "$out/artifacts" -p:IntmillLibrary="$build/libintmill.so.0" -nodeReuse:false \
    -o "$out" &&
    python3 -m zipfile -l "$(echo "$out"/*.nupkg)" | tee /dev/stderr |
    grep -cE '^(runtimes/linux-x64/native/libintmill.so.0|lib/net[0-9.]+/Intmill.(dll|xml)|csharp.md) ' |
    grep -qx 4
}
check pack pack

mv "$out/tap" "$build/Testing/binding_csharp.tap"
echo "csharp: $(grep -c . "$build/Testing/binding_csharp.tap") cases"
exit $failed
