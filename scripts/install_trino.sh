#!/bin/sh
# Assembles the Trino that judges the local Athena, into a cache outside this checkout; prints the
# folder: lib, plugin, classes, and `java`, a link to the Java that runs it. Does nothing when it is
# there. As root on Debian it installs Java 17 and Maven first.
#   scripts/install_trino.sh [--where]      (--where only prints the folder, there or not)
# About 270 MB, one minute. Exit code 3: no Java 17, no Maven or no download here; the judge does
# not run.
set -eu
source="$(dirname "$0")/trino"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/athena-runner"
hash=$(cat "$source/pom.xml" "$source/RunTrino.java" "$0" | sha256sum | cut -c1-16)
folder="$cache/trino-435-$hash"

if [ "${1:-}" = "--where" ] || [ -d "$folder" ]; then
    echo "$folder"
    exit 0
fi

cannot() {
    echo "The judge of the local Athena (a real Trino) will not run: $1" >&2
    exit 3
}

install() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1
}

# Trino 435 runs on Java 17, not on every newer one: print the home of a JDK 17 if there is one.
java_home() {
    for home in "${JAVA_HOME:-}" /usr/lib/jvm/*17* "$(dirname "$(dirname "$(
        readlink -f "$(command -v javac || echo /none)"
    )")")"; do
        [ -n "$home" ] || continue
        case $("$home/bin/javac" -version 2>/dev/null) in
        "javac 17"*)
            echo "$home"
            return 0
            ;;
        esac
    done
    return 1
}

packages="openjdk-17-jdk-headless maven"
if ! java_home >/dev/null || ! command -v mvn >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # a list of words
    install $packages || { apt-get update >/dev/null 2>&1 && install $packages; } ||
        cannot "it wants Java 17 and Maven; as root on Debian: apt-get install --no-install-recommends $packages"
fi
home=$(java_home) || cannot "no JDK 17 in JAVA_HOME, /usr/lib/jvm or PATH"

mkdir -p "$cache"
half=$(mktemp -d "$cache/half-XXXXXX")
trap 'rm -rf "$half"' EXIT
# Maven works in a copy: this folder may be read-only.
mkdir "$half/source"
cp "$source/pom.xml" "$half/source/"
mvn --batch-mode --quiet -Dstyle.color=never --file "$half/source/pom.xml" \
    "-Dtrino.home=$half" initialize >&2 || cannot "Maven cannot bring Trino (see above)"
rm -rf "$half/source"
"$home/bin/javac" -nowarn -Xlint:none -proc:none -encoding UTF-8 -cp "$half/lib/*" \
    -d "$half/classes" "$source/RunTrino.java"
ln -s "$home/bin/java" "$half/java"
chmod 0755 "$half"
# Another one may have been faster.
mv -T "$half" "$folder" 2>/dev/null || [ -d "$folder" ]
echo "$folder"
