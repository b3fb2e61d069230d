#!/usr/bin/env bash
# Compiles and runs the Java binding's tests, its samples, the scenario that all languages share, and
# the soak, with every JVM that is there. With a sanitized library only the tests, with one JVM.
#   run.sh BUILD
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
export INTMILL_REPOSITORY=$root

skip() { echo "binding_java: skipped, $*; run tools/install-deps.sh"; exit 77; }
jar=$build/bindings/java/intmill.jar
[ -e "$jar" ] || skip "the binding was not built: no JDK 17 or later"
junit=/usr/share/java/junit-platform-console-standalone.jar
[ -e "$junit" ] || skip "no JUnit 5 ($junit)"

out=$build/Testing/java
rm -rf "$out"
mkdir -p "$out"
javac --release 17 -Xlint:all,-try -Werror -encoding UTF-8 -proc:none -d "$out/classes" \
  -cp "$jar:$junit" "$here"/*.java "$root"/samples/java/*.java

# The JVMs: the one in PATH, and those installed beside it.
declare -A seen=()
jvms=()
for java in "$(command -v java)" /usr/lib/jvm/*/bin/java; do
  real=$(readlink -f "$java")
  [ -x "$real" ] && [ -z "${seen[$real]-}" ] || continue
  seen[$real]=1
  release=$("$real" -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p')
  [ "$release" -ge 17 ] && jvms+=("$real")
done

# A sanitizer's runtime must be there first. The JVM handles SIGSEGV itself, and does not free at exit.
sanitize=()
runtimes=$(ldd "$build/libintmill.so.0" | awk '/lib(asan|ubsan)/ { print $3 }')
if [ -n "$runtimes" ]; then
  jvms=("${jvms[0]}")
  sanitize=(env "LD_PRELOAD=${runtimes//$'\n'/ }"
    ASAN_OPTIONS=handle_segv=0:detect_leaks=0:allocator_may_return_null=1)
fi

failed=0
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

for java in "${jvms[@]}"; do
  release=$("$java" -version 2>&1 | sed -nE '1s/.*"([0-9.]+).*/\1/p')
  allow=()
  "$java" --enable-native-access=ALL-UNNAMED -version >/dev/null 2>&1 &&
    allow=(--enable-native-access=ALL-UNNAMED)
  run=("$java" "${allow[@]}" "-Dintmill.library.path=$build" -cp "$jar:$out/classes")

  "${sanitize[@]}" "$java" "${allow[@]}" -Xcheck:jni "-Dintmill.library.path=$build" "-Dintmill.jar=$jar" \
    "-Dintmill.tests=$out/classes" -cp "$jar:$junit:$out/classes" org.junit.platform.console.ConsoleLauncher \
    --disable-banner --disable-ansi-colors --details=tree --include-classname='.*Test' \
    --scan-classpath="$out/classes" --reports-dir="$out/reports" >"$out/junit.log" 2>&1 ||
    { cat "$out/junit.log"; failed=1; }
  if grep -E '(WARNING|FATAL ERROR) in native' "$out/junit.log"; then  # -Xcheck:jni
    failed=1
  fi
  python3 "$here/../tap.py" "$out"/reports/TEST-junit-jupiter.xml >>"$out/tap" || failed=1

  [ -z "$runtimes" ] || continue

  check "01 on $release" "${run[@]}" Sample01Tensor
  check "02 on $release" "${run[@]}" Sample02Dynamic "$root/samples/data"
  check "03 on $release" "${run[@]}" Sample03Static "$root/samples/data" "$out/fashion_cnn.im"
  check "04 on $release" "${run[@]}" Sample04Serve "$root/samples/data"
  if [ -x "$build/tests/bindings/scenario_c" ] && [ -e "$here/../compare.py" ]; then
    check "scenario on $release" python3 "$here/../compare.py" java \
      "$build/tests/bindings/scenario_c" -- "${run[@]}" Scenario
    tail -1 "$out/log"
  fi
  check "soak on $release" "${run[@]}" -Xms64m -Xmx64m -XX:+UseSerialGC -XX:+AlwaysPreTouch \
    Soak "$here/../relu.onnx" 1000000 10000
  if [ -x "$build/tests/bindings/overhead_c" ] && [ -e "$here/../overhead.py" ]; then
    check "overhead on $release" python3 "$here/../overhead.py" --runs 200000 --most 2 \
      "$build/tests/bindings/overhead_c" -- "${run[@]}" Soak
    tail -1 "$out/log"
  fi
done

mv "$out/tap" "$build/Testing/binding_java.tap"
echo "java: $(grep -c . "$build/Testing/binding_java.tap") cases on ${#jvms[@]} JVMs"
exit $failed
