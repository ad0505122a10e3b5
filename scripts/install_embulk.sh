#!/bin/sh
# Assembles the Embulk that the load tests run, into a cache outside this checkout; prints the
# folder. Does nothing when it is there. As root on Debian it installs Java, Maven and git first.
#   scripts/install_embulk.sh [--where]      (--where only prints the folder, there or not)
# Exit code 3: no Java, no Maven or no download here; the tests with a real Embulk do not run.
set -eu
source="$(dirname "$0")/../runner/templates/images/embulk"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/athena-runner"
hash=$(cd "$source" && find . -type f ! -name Dockerfile ! -name dockerignore | LC_ALL=C sort | while read -r file; do
    echo "$file"
    cat "$file"
done | sha256sum | cut -c1-16)
folder="$cache/embulk-$hash"

if [ "${1:-}" = "--where" ] || [ -d "$folder" ]; then
    echo "$folder"
    exit 0
fi

cannot() {
    echo "The tests with a real Embulk will not run: $1" >&2
    exit 3
}

install() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1
}

packages="default-jdk-headless git maven"
if ! command -v javac >/dev/null 2>&1 || ! command -v mvn >/dev/null 2>&1 ||
    ! command -v git >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # a list of words
    install $packages || { apt-get update >/dev/null 2>&1 && install $packages; } ||
        cannot "as root on Debian: apt-get install --no-install-recommends $packages"
fi

mkdir -p "$cache"
half=$(mktemp -d "$cache/half-XXXXXX")
trap 'rm -rf "$half"' EXIT
sh "$source/assemble.sh" "$half" >&2 || cannot "Embulk cannot be assembled (see above)"
chmod 0755 "$half"
# Another one may have been faster.
mv -T "$half" "$folder" 2>/dev/null || [ -d "$folder" ]
echo "$folder"
