"""The buckets of a folder: which there are, where they lie, making and removing them.

In: the folder of all buckets, and buckets that lie elsewhere.  Out: names and folders.  A bucket
that lies elsewhere was named by whoever set this up: it is always there, and never removed.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runner.local.s3_keys import TEMP, encode_key

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FOLDER = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class Buckets:
    """Finds the folder of every bucket."""

    def __init__(self, root: Path, elsewhere: Mapping[str, Path]) -> None:
        """Take the folder of all buckets, and the buckets that lie elsewhere."""
        self._root = root
        self._elsewhere = {name: Path(path) for name, path in elsewhere.items()}

    def folder(self, name: str) -> Path:
        """Give the folder that stands for a bucket; it need not exist.

        A name that would lead out of the root, such as `..`, is written as a key's part is.
        """
        return self._elsewhere.get(name) or self._root / encode_key(name).replace("/", "_")

    def has(self, name: str) -> bool:
        """Tell whether there is a bucket of this name; no name leads out of the root."""
        if name in self._elsewhere:
            return True
        return bool(_FOLDER.fullmatch(name)) and (self._root / name).is_dir()

    def is_elsewhere(self, name: str) -> bool:
        """Tell whether a bucket was named with a folder of its own."""
        return name in self._elsewhere

    def names(self) -> list[str]:
        """Give all names in order."""
        found = set(self._elsewhere)
        with suppress(FileNotFoundError):
            found.update(each for each in os.listdir(self._root) if self.has(each))  # noqa: PTH208
        return sorted(found)

    def make(self, name: str) -> None:
        """Make a bucket; FileExistsError if it is there."""
        self._root.mkdir(parents=True, exist_ok=True)
        (self._root / name).mkdir()

    def remove(self, name: str) -> bool:
        """Remove a bucket without objects; gives False where files are in the way."""
        if name in self._elsewhere:
            return False
        top = self._root / name
        for place, folders, files in os.walk(top, topdown=True):
            if place == str(top) and TEMP in folders:
                folders.remove(TEMP)
            if files:
                return False
        shutil.rmtree(top / TEMP, ignore_errors=True)
        for place, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                os.rmdir(place)  # noqa: PTH106 - a path as text
        return not top.exists()


def is_bucket_name(name: str) -> bool:
    """Tell whether S3 takes the name for a new general purpose bucket.

    >>> is_bucket_name("my-lake.eu"), is_bucket_name("My_Lake"), is_bucket_name("10.0.0.1")
    (True, False, False)
    """
    return bool(_NAME.fullmatch(name))
