#!/bin/sh
# Starts Embulk from the folder that assemble.sh made.
#   run-embulk.sh CONFIGURATION.yml ...
# Exit codes: 0 loaded, 1 the load failed, 2 the configuration cannot be read or was refused.
# JAVA_OPTS is added to the options of Java (a memory limit, a trust store).
set -eu
home=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2086 # JAVA_OPTS is a list of words
exec java -XX:MaxRAMPercentage=70 -XX:+ExitOnOutOfMemoryError \
    -Duser.timezone=UTC -Dfile.encoding=UTF-8 "-Dembulk.home=$home" \
    ${JAVA_OPTS:-} -cp "$home/classes:$home/lib/*" RunEmbulk "$@"
