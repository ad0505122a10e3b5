#!/bin/sh
# Installs the MariaDB server that the load tests start themselves (no service is set up).
# mariadb-server-core alone is enough: the tests bootstrap their own data folder.
set -eu
if command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "MariaDB is missing; as root on Debian: apt-get install --no-install-recommends mariadb-server-core" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends mariadb-server-core >/dev/null 2>&1 || {
    apt-get update >/dev/null
    apt-get install -y --no-install-recommends mariadb-server-core >/dev/null
}
