#!/bin/sh
# Installs the clients that tests drive (PyAthena 3 and 4, awswrangler, dbt, Google's BigQuery) into a
# cache outside this checkout; prints the folder. Does nothing when it is there.
#   scripts/install_clients.sh [--where]      (--where only prints the folder, there or not)
# Exit code 3: no Python 3.11 or no download here; the tests with real clients do not run.
set -eu
root="$(cd "$(dirname "$0")/.." && pwd)"
lists="$root/tests/clients"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/athena-runner"
hash=$(cat "$lists/requirements.txt" "$lists/requirements-pyathena4.txt" | sha256sum | cut -c1-16)
folder="$cache/clients-$hash"

if [ "${1:-}" = "--where" ] || [ -d "$folder" ]; then
    echo "$folder"
    exit 0
fi

cannot() {
    echo "The tests with real Athena clients will not run: $1" >&2
    exit 3
}

python=""
for candidate in "$root/.venv/bin/python" python3.11 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
        >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || cannot "Python 3.11 or later with its venv module is needed"

mkdir -p "$cache"
half=$(mktemp -d "$cache/half-XXXXXX")
trap 'rm -rf "$half"' EXIT
# Everything is pinned, so nothing is resolved; what runs is compiled when it runs.
pip() {
    "$half/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --no-deps --no-compile "$@" >&2
}
"$python" -m venv "$half/venv" >&2 || cannot "no virtual environment can be made (see above)"
pip --requirement "$lists/requirements.txt" || cannot "packages cannot be installed (see above)"
pip --requirement "$lists/requirements-pyathena4.txt" --target "$half/pyathena4" ||
    cannot "packages cannot be installed (see above)"
chmod 0755 "$half"
# Another one may have been faster.
mv -T "$half" "$folder" 2>/dev/null || [ -d "$folder" ]
echo "$folder"
