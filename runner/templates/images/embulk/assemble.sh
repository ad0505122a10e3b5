#!/bin/sh
# Puts a whole Embulk into the folder named: fetched by Maven at pinned versions, two plugins
# compiled from their published source, and the launcher. Needs a JDK (11 or newer) and Maven.
#   assemble.sh FOLDER
set -eu

if [ "$#" -ne 1 ]; then
    echo "Usage: assemble.sh FOLDER" >&2
    exit 2
fi
sources=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
home=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Maven works in a copy: this folder may be read-only.
for module in . standard output-mysql input-s3; do
    mkdir -p "$work/$module"
    cp "$sources/$module/pom.xml" "$work/$module/pom.xml"
done
mvn --batch-mode --quiet -Dstyle.color=never --file "$work/pom.xml" "-Dembulk.home=$home" initialize
find "$home/m2" -type f ! -name '*.jar' ! -name '*.pom' -exec rm {} +
# Exactly the files that were tested, none more.
(cd "$home" && find lib deps m2 -type f -exec sha256sum {} + | LC_ALL=C sort -k 2) >"$work/fetched"
diff "$sources/fetched.sha256" "$work/fetched" >&2 || {
    echo "Maven brought other files than fetched.sha256 names." >&2
    exit 1
}

# plugin CATEGORY TYPE VERSION CLASS: compile one and put it beside those that were fetched.
plugin() {
    name="$1-$2"
    place="$home/m2/org/embulk/embulk-$name/$3"
    mkdir -p "$work/$name/classes" "$place"
    find "$sources/$name/java" -name '*.java' >"$work/$name/files"
    javac -nowarn -Xlint:none -XDsuppressNotes -encoding UTF-8 --release 8 -proc:none \
        -cp "$(cat "$work/$name/classpath")" -d "$work/$name/classes" "@$work/$name/files"
    cat >"$work/$name/manifest" <<EOF
Embulk-Plugin-Main-Class: $4
Embulk-Plugin-Category: $1
Embulk-Plugin-Type: $2
Embulk-Plugin-Spi-Version: 0
Implementation-Title: embulk-$name
Implementation-Version: $3
EOF
    jar --create --file "$place/embulk-$name-$3.jar" --manifest "$work/$name/manifest" \
        -C "$work/$name/classes" .
    cp "$sources/$name/pom.xml" "$place/embulk-$name-$3.pom"
}
plugin output mysql 0.10.6 org.embulk.output.MySQLOutputPlugin
plugin input s3 0.6.0 org.embulk.input.s3.S3FileInputPlugin

mkdir -p "$home/classes"
cp "$sources/embulk.properties" "$sources/run-embulk.sh" "$home/"
cp "$sources/logback.xml" "$home/classes/"
javac -nowarn -encoding UTF-8 --release 8 -proc:none -cp "$home/lib/*" -d "$home/classes" \
    "$sources/RunEmbulk.java"
chmod 0755 "$home/run-embulk.sh"
