#!/bin/sh
# Puts a whole Embulk into the folder named: fetched by Maven at pinned versions, two plugins
# compiled from their published source at pinned commits, and the launcher.
#   assemble.sh FOLDER
# Needs a JDK (11 or newer), Maven and git. The plugins' repositories are cloned from where they are
# published, or taken from the folder EMBULK_SOURCES: EMBULK_SOURCES/<repository>.
# Exit code 3: something could not be had; the last line says what.
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

cannot() {
    echo "assemble: $1" >&2
    exit 3
}

# repository NAME COMMIT: bring it to $work/NAME.git, and make sure that it has the commit. A commit's
# name is a checksum of all that is in it.
repository() {
    copy="$work/$1.git"
    if [ -n "${EMBULK_SOURCES:-}" ]; then
        git clone --quiet --bare "$EMBULK_SOURCES/$1" "$copy" ||
            cannot "$EMBULK_SOURCES/$1 is no git repository"
    else
        GIT_TERMINAL_PROMPT=0 timeout 120 git clone --quiet --bare "https://github.com/embulk/$1.git" \
            "$copy" || cannot "the repository $1 cannot be cloned; EMBULK_SOURCES names a folder of copies"
    fi
    git -C "$copy" cat-file -e "$2^{commit}" 2>/dev/null ||
        cannot "the repository $1 lacks the commit $2"
}

# source PLUGIN REPOSITORY COMMIT FOLDER...: unpack Java folders of one commit into $work/PLUGIN/java.
source_of() {
    plugin=$1 name=$2 commit=$3
    shift 3
    repository "$name" "$commit"
    mkdir -p "$work/$plugin/java" "$work/$plugin/tree"
    git -C "$work/$name.git" archive "$commit" "$@" | tar -x -C "$work/$plugin/tree"
    for folder in "$@"; do
        cp -R "$work/$plugin/tree/$folder/." "$work/$plugin/java/"
    done
}

# Maven works in a copy: this folder may be read-only.
for module in . standard output-mysql input-s3; do
    mkdir -p "$work/$module"
    cp "$sources/$module/pom.xml" "$work/$module/pom.xml"
done
source_of output-mysql embulk-output-jdbc d604ac606c0456c589afc714242f735b615d7586 \
    embulk-output-jdbc/src/main/java embulk-output-mysql/src/main/java
source_of input-s3 embulk-input-s3 15c26a4047033dd6cc220f2c2faebbd8d0f5728a src/main/java

mvn --batch-mode --quiet -Dstyle.color=never --file "$work/pom.xml" "-Dembulk.home=$home" initialize >&2 ||
    cannot "Maven cannot bring what Embulk consists of (see above)"
# Exactly the files that were tested, none more.
(cd "$home" && find lib deps plugins -type f -exec sha256sum {} + | LC_ALL=C sort -k 2) >"$work/fetched"
diff "$sources/fetched.sha256" "$work/fetched" >&2 || {
    echo "assemble: Maven brought other files than fetched.sha256 names." >&2
    exit 1
}

for plugin in output-mysql input-s3; do
    mkdir "$work/$plugin/classes"
    find "$work/$plugin/java" -name '*.java' >"$work/$plugin/files"
    javac -nowarn -Xlint:none -XDsuppressNotes -encoding UTF-8 --release 8 -proc:none \
        -cp "$(cat "$work/$plugin/classpath")" -d "$work/$plugin/classes" "@$work/$plugin/files"
    jar --create --file "$home/plugins/$plugin/embulk-$plugin.jar" -C "$work/$plugin/classes" .
done

mkdir -p "$home/classes"
cp "$sources/run-embulk.sh" "$home/"
cp "$sources/logback.xml" "$home/classes/"
javac -nowarn -encoding UTF-8 --release 8 -proc:none -cp "$home/lib/*" -d "$home/classes" \
    "$sources/RunEmbulk.java"
chmod 0755 "$home/run-embulk.sh"
