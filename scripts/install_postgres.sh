#!/bin/sh
# Installs the PostgreSQL server that stands for Redshift in tests, which start it themselves.
set -eu
for folder in /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/initdb" ]; then
        exit 0
    fi
done
if command -v initdb >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "PostgreSQL is missing; as root on Debian: apt-get install --no-install-recommends postgresql" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# No cluster and no service: only the programs are wanted.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
apt-get install -y --no-install-recommends postgresql >/dev/null 2>&1 || {
    apt-get update >/dev/null
    apt-get install -y --no-install-recommends postgresql >/dev/null
}
