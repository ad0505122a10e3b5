#!/bin/sh
# What the container starts: looks at its surroundings, then becomes the load. It is replaced
# (exec), so that the SIGTERM of ECS arrives there. Exit status 78: the task definition is wrong.
set -eu
umask 077
# shellcheck disable=SC3045 # Debian's sh has it: a core would hold the password
ulimit -c 0

home="${RUNNER_HOME:-/opt/runner}"
work="${RUNNER_WORK:-/var/lib/runner}"

refuse() {
    printf '{"event": "refused", "cause": "%s"}\n' "$1"
    exit 78
}

# In a shell of its own: a redirection that fails ends the shell that tries it.
is_writable() {
    [ -d "$1" ] && (probe="$1/.probe.$$" && : >"$probe" && rm -f "$probe") 2>/dev/null
}

is_in_memory() {
    [ "$(stat -f -c %T "$1" 2>/dev/null)" = tmpfs ] && is_writable "$1"
}

is_writable "$work" || refuse "RUNNER_WORK: $work is no folder to write into; mount a volume there"

# Embulk reads its configuration, with the password in it, from a file: in memory or not at all.
if [ -n "${EMBULK_HOME:-}" ]; then
    found=
    for folder in ${RUNNER_SECRETS:-/run/runner /dev/shm}; do
        if is_in_memory "$folder"; then
            found="$folder"
            break
        fi
    done
    [ -n "$found" ] || refuse "RUNNER_SECRETS: ${RUNNER_SECRETS:-/run/runner} is no tmpfs to write into"
    export RUNNER_SECRETS="$found"
fi

cd "$work"
export RUNNER_WORK="$work" TMPDIR="$work" HOME="$work"
export PYTHONPATH="$home/lib" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec python3 -P -s -m runner load-task
