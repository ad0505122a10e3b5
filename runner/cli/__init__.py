"""The command line: parse words, call one function of `runner.app`, print what it gives.

Results go to standard output, talk goes to standard error.  Exit status: 0 fine, 1 the thing asked
for failed, 2 wrong use or wrong project, 3 AWS refused, 70 a defect of ours.
"""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line; the process's exit status tells how it went.

    The process ends without Python's orderly end: a thread of a stopped run may still be inside
    DuckDB, and would then abort the process with a status and a message of its own.
    """
    gc.disable()  # short commands end before there is anything to collect; a run enables it
    from runner.cli.root import run_command_line  # noqa: PLC0415 - click loads here

    status = run_command_line(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # nobody reads any more
            status = status or 1
    os._exit(status)
