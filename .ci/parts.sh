# Shared by the scripts beside it: where they work, the second Java, and how long a part took. To be sourced by bash.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
jdk25=${JAVA25_HOME:-$(find /usr/lib/jvm -maxdepth 1 -name '*25*' 2>/dev/null | sort | head -n 1)}

part=''
begin() {
    [ -z "$part" ] || echo "== $part: $((SECONDS / 60)) min $((SECONDS % 60)) s"
    part=$1 SECONDS=0
    echo "== $part"
}
