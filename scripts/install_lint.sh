#!/bin/sh
# Installs shellcheck, which looks at every shell script (hadolint comes with the Python packages).
set -eu
if command -v shellcheck >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "shellcheck is missing, its test is skipped; as root on Debian: apt-get install shellcheck" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends shellcheck >/dev/null 2>&1 || {
    apt-get update >/dev/null
    apt-get install -y --no-install-recommends shellcheck >/dev/null
}
