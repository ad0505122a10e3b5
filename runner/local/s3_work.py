"""The folder of a bucket in which one process keeps unfinished files, and those of dead ones.

In: the bucket's invisible folder.  Out: a folder of our own, on whose lock file we hold a lock for
as long as we live.  The system gives the lock up when a process ends in whatever way: a folder
whose lock can be had is nobody's any more, and is removed.
"""
# ruff: noqa: PTH103, PTH208

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
import time
from contextlib import suppress

_PREFIX = "work-"
_LOCK = "lock"
_YOUNG_S = 3600.0
"""A folder without a lock is left for so long: somebody may be making it."""


class WorkFolder:
    """A folder that is made when it is first needed."""

    def __init__(self, above: str) -> None:
        """Take the folder in which it will be."""
        self._above = above
        self.path = f"{above}/{_PREFIX}{secrets.token_hex(8)}"
        self._held = -1
        self._making = threading.Lock()

    def make(self) -> str:
        """Make the folder if it is not there; the first time, dead processes' folders go."""
        if not self._is_held():
            with self._making:
                first = self._held < 0
                while not self._is_held():
                    self._take()
                if first:
                    sweep(self._above)
        return self.path

    def _is_held(self) -> bool:
        return self._held >= 0 and os.fstat(self._held).st_nlink > 0

    def _take(self) -> None:
        os.makedirs(self.path, exist_ok=True)
        self._release()
        with suppress(FileNotFoundError):  # somebody removed the bucket just now
            self._held = os.open(f"{self.path}/{_LOCK}", os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(self._held, fcntl.LOCK_SH)

    def _release(self) -> None:
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)

    def __del__(self) -> None:
        """Give the lock up: nobody has a path into the folder any more."""
        self._release()


def sweep(above: str) -> None:
    """Remove the folders of processes that do not live any more."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(above):
            if name.startswith(_PREFIX):
                with suppress(OSError):
                    _sweep_one(f"{above}/{name}")


def _sweep_one(folder: str) -> None:
    try:
        lock = os.open(f"{folder}/{_LOCK}", os.O_RDWR)
    except FileNotFoundError:
        if time.time() - os.stat(folder).st_mtime > _YOUNG_S:  # noqa: PTH116 - as text
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
