# Shared by the scripts beside it: where the project is, which Java, and how it is built. To be sourced by bash.

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}" 2>/dev/null || printf '%s' "${BASH_SOURCE[0]}")")" && pwd)
root=$(dirname "$here")
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

java_major() {
    "$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1
}

# Prints the options that every JVM of ours gets, one a line.
jvm_options() {
    if [ -n "${HEAP:-}" ]; then printf '%s\n' "-Xmx$HEAP"; else printf '%s\n' -XX:MaxRAMPercentage=75; fi
    # without the clean-ups Java 17 sometimes compiles a kernel before it knows its vectors' class: boxed, ten times slower
    printf '%s\n' -XX:+IgnoreUnrecognizedVMOptions -XX:+UnlockDiagnosticVMOptions -XX:+IncrementalInlineForceCleanup
    printf '%s\n' -Djava.awt.headless=true -Dorg.bytedeco.javacpp.logger=none "-Drecall.home=$root" \
        --add-modules jdk.incubator.vector --add-opens java.base/java.nio=ALL-UNNAMED
    if [ "$(java_major)" -ge 24 ]; then
        printf '%s\n' --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
    fi
}

# The stamp tells which Java compiled the classes: code on the incubating Vector API must be compiled by the Java that runs it.
stamp=$root/target/built-by-java
is_built() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(java_major)" ] &&
        [ -z "$(find "$root/pom.xml" "$root/src/main" -newer "$stamp" -print 2>/dev/null | head -n 1)" ]
}

# Compiles and collects the class path where needed; one process at a time.
build() {
    command -v "$java" >/dev/null || fail "no java found: install JDK 17 or set JAVA_HOME"
    [ "$(java_major)" -ge 17 ] || fail "Java $(java_major) is too old: install JDK 17 or set JAVA_HOME"
    is_built && return
    command -v mvn >/dev/null || fail "no mvn found: install Maven 3.8 or later"
    mkdir -p "$root/target"
    until mkdir "$root/target/lock" 2>/dev/null; do
        kill -0 "$(cat "$root/target/lock/pid" 2>/dev/null || echo $$)" 2>/dev/null || rm -rf "$root/target/lock"
        sleep 1
    done
    echo $$ > "$root/target/lock/pid"
    trap 'rm -rf "$root/target/lock"' EXIT
    if ! is_built; then
        echo "building RecallLab, once (log: target/build.log) .." >&2
        rm -rf "$root/target/classes"
        if ! (cd "$root" && mvn -q -B compile dependency:build-classpath@runtime dependency:copy@kernel > target/build.log 2>&1 < /dev/null); then
            tail -n 30 "$root/target/build.log" >&2
            rm -rf "$root/target/lock"
            exit 1
        fi
        java_major > "$stamp"
    fi
    rm -rf "$root/target/lock"
    trap - EXIT
}

class_path() {
    printf '%s' "$root/target/classes:$(cat "$root/target/classpath.txt")"
}
