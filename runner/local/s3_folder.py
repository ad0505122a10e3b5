"""The files of one bucket: finding, placing, removing and walking them, cheaply and atomically.

In: keys.  Out: paths and their states.  Works across threads and processes.  Paths are plain text
here, and errors are met rather than foreseen: a table has thousands of small files, and each call
of the operating system or of pathlib counts.
"""
# ruff: noqa: PTH102, PTH103, PTH104, PTH106, PTH108, PTH110, PTH112, PTH113, PTH116, PTH120, PTH123, PTH208

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
from collections import deque
from contextlib import contextmanager, suppress
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from runner.local.s3_keys import ESCAPE, TEMP, decode_key, encode_key, self_name
from runner.local.s3_work import WorkFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    T = TypeVar("T")

_TRIES = 50
_IN_THE_WAY = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class Crowded(Exception):
    """Others kept changing the folders of a key, again and again."""


class Bucket:
    """The folder of one bucket."""

    def __init__(self, top: str) -> None:
        """Take the folder; it need not exist."""
        self.top = top
        self._lock = _Lock(f"{top}/{TEMP}/lock")
        self._names = itertools.count()
        self._work = WorkFolder(f"{top}/{TEMP}")

    def path(self, key: str) -> str:
        """Give the path of a key as long as no other key lies below it."""
        return f"{self.top}/{encode_key(key)}"

    def temporary(self) -> str:
        """Give a new name in the invisible folder for unfinished files."""
        return f"{self._work.path}/{os.getpid()}-{next(self._names)}"

    def make_temporary_folder(self) -> str:
        """Make the invisible folder, which whoever comes later removes if we were killed."""
        return self._work.make()

    @contextmanager
    def locked(self, *, alone: bool = False) -> Iterator[None]:
        """Let conditional writes run alone in the bucket, all others beside each other."""
        held = self._lock.take(alone=alone)
        try:
            yield
        finally:
            self._lock.give(held)

    def state(self, key: str) -> os.stat_result | None:
        """Give size and time of an object; None if there is none."""
        return self._reach(key, _file_state)

    def read(self, key: str) -> tuple[bytes, os.stat_result] | None:
        """Read an object with its state; None if there is none."""
        return self._reach(key, _read)

    def open(self, key: str) -> tuple[BinaryIO, os.stat_result] | None:
        """Open an object to read, with its state; None if there is none."""
        return self._reach(key, _open)

    def write(self, body: bytes) -> str:
        """Write an unfinished file; gives its path."""
        path = self.temporary()
        try:
            _write(path, body)
        except FileNotFoundError:
            self.make_temporary_folder()
            _write(path, body)
        return path

    def link(self, source: str, key: str) -> os.stat_result | None:
        """Give an object a second key by one hard link; None if it takes more than that."""
        target = self.path(key)
        try:
            state = _file_state(source)
            try:
                os.link(source, target)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.link(source, target)
        except OSError:
            return None
        return state

    def copy(self, source: Bucket, key: str) -> tuple[str, os.stat_result] | None:
        """Make an unfinished copy of another bucket's object; None if there is no such object."""
        self.make_temporary_folder()
        return source._reach(key, self._copied)

    def _copied(self, path: str) -> tuple[str, os.stat_result]:
        _file_state(path)
        copy = self.temporary()
        try:
            os.link(path, copy)
        except _IN_THE_WAY:
            raise
        except OSError:
            import shutil  # noqa: PLC0415 - only where links cannot be made

            shutil.copy2(path, copy)
            state = os.stat(path)
            os.utime(copy, ns=(state.st_mtime_ns, state.st_mtime_ns))
        return copy, os.stat(copy)

    def _reach(self, key: str, act: Callable[[str], T]) -> T | None:
        """Do something with an object's file; a file may just be turning into a folder."""
        path = self.path(key)
        for place in (path, f"{path}/{self_name()}") * 2:
            with suppress(*_IN_THE_WAY):
                return act(place)
        return None

    def place(self, path: str, key: str, *, fresh: bool) -> None:
        """Move a file to a key; FileExistsError if it should be fresh and is not, Crowded."""
        target = self.path(key)
        for _ in range(_TRIES):
            try:
                if fresh:
                    os.link(path, target)
                else:
                    os.rename(path, target)
            except (FileExistsError, IsADirectoryError):
                if os.path.isdir(target):
                    target = f"{target}/{self_name()}"
                elif fresh and os.path.isfile(target):
                    raise
            except (FileNotFoundError, NotADirectoryError):
                if not os.path.exists(path):
                    raise
                target = self.path(key)
                self.make_parents(target)
            else:
                return
        raise Crowded(key)

    def place_folder(self, path: str, key: str) -> bool:
        """Move a folder of files to a prefix, if nothing is there yet."""
        target = self.path(key)
        for _ in range(_TRIES):
            try:
                os.rename(path, target)
            except (FileNotFoundError, NotADirectoryError):
                self.make_parents(target)
            except OSError:
                return False
            else:
                return True
        return False

    def move_folder(self, before: str, after: str, names: set[str]) -> bool:
        """Move a folder that holds just these files to where nothing is yet; False if it does not.

        `before` and `after` are keys without their last slash.
        """
        source = self.path(before)
        try:
            if set(os.listdir(source)) != names:
                return False
        except OSError:
            return False
        return self.place_folder(source, after)

    def make_parents(self, target: str) -> None:
        """Make the folders above a path; an object standing in the way moves into its folder."""
        if self._made(os.path.dirname(target)):
            return
        parts = target[len(self.top) + 1 :].split("/")[:-1]
        for folder in itertools.accumulate(parts, lambda a, b: f"{a}/{b}"):
            place = f"{self.top}/{folder}"
            if os.path.isfile(place):
                _turn_into_folder(place, f"{self.top}/{TEMP}/{secrets.token_hex(12)}")
        self._made(os.path.dirname(target))

    @staticmethod
    def _made(folder: str) -> bool:
        """Make a folder; gives False if a file stands in the way."""
        try:
            os.makedirs(folder, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            return False
        except FileNotFoundError:  # a folder above vanished again: whoever needs it tries again
            return True
        return True

    def remove(self, key: str) -> str:
        """Delete an object if there is one; gives its folder, which may be empty now."""
        path = self.path(key)
        for place in (path, f"{path}/{self_name()}") * 2:  # as in _reach
            try:
                os.unlink(place)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (IsADirectoryError, PermissionError):
                if not os.path.isdir(place):
                    raise
            else:
                return os.path.dirname(place)
        return ""

    def tidy(self, folders: Iterable[str]) -> None:
        """Remove folders and those above them as far as they are empty."""
        levels: dict[int, set[str]] = {}
        for folder in folders:
            levels.setdefault(folder.count("/"), set()).add(folder)
        for level in range(max(levels, default=0), self.top.count("/"), -1):
            for folder in levels.get(level, ()):
                with suppress(OSError):
                    os.rmdir(folder)
                    levels.setdefault(level - 1, set()).add(os.path.dirname(folder))

    def walk(self, prefix: str, after: str) -> Iterator[tuple[str, str]]:
        """Give key and path of every object below the prefix and beyond `after`, in key order.

        Folders are opened as they are reached, so that a page costs what the page holds.
        """
        folder = prefix.rpartition("/")[0]
        base = encode_key(folder) if folder else ""
        stack = [(f"{base}/" if base else "", "")]
        while stack:
            place, path = stack.pop()
            if path:
                yield place, path
            elif (inside := self._inside(place, prefix, after)) is not None:
                stack += reversed(inside)
            else:
                yield from self._everything(place, prefix, after)

    def _inside(self, place: str, prefix: str, after: str) -> list[tuple[str, str]] | None:
        """List one folder in the order of its keys: objects, and folders (without a path).

        None if the names alone do not tell that order: names that are escaped, and a folder `a`
        beside `a-b`, which would stand between the objects `a` and `a/c`.
        """
        if ESCAPE in place:
            return None
        found: list[tuple[str, str]] = []
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self._at(place)) as all_:
            for each in all_:
                name = each.name
                if name.startswith(ESCAPE):
                    if name == TEMP:
                        continue
                    return None
                key = place + name
                if each.is_dir():
                    if _may_hold(folder := f"{key}/", prefix, after):
                        found.append((folder, ""))
                elif key > after and key.startswith(prefix):
                    found.append((key, each.path))
        found.sort()
        pairs = itertools.pairwise(found)
        unclear = any(not path and one.startswith(key[:-1]) for (one, _), (key, path) in pairs)
        return None if unclear else found

    def _everything(self, place: str, prefix: str, after: str) -> list[tuple[str, str]]:
        """Give what `walk` does below one folder, whatever its names are."""
        found: list[tuple[str, str]] = []
        stack = [place]
        while stack:
            place = stack.pop()
            with suppress(FileNotFoundError, NotADirectoryError):
                self._visit(place, prefix, after, found, stack)
        found.sort()
        return found

    def _at(self, place: str) -> str:
        return f"{self.top}/{place}"

    def _visit(
        self, place: str, prefix: str, after: str, found: list[tuple[str, str]], stack: list[str]
    ) -> None:
        """List one folder: its objects, and the folders in which more may lie."""
        plain = ESCAPE not in place
        with os.scandir(self._at(place)) as entries:
            for each in entries:
                name = each.name
                if not plain or name.startswith(ESCAPE):
                    if name == TEMP:
                        continue
                    key, certain = decode_key(f"{place}{name}".split("/")), False
                else:
                    key, certain = f"{place}{name}", True
                if each.is_dir():
                    if not certain or _may_hold(f"{key}/", prefix, after):
                        stack.append(f"{place}{name}/")
                elif key > after and key.startswith(prefix):
                    found.append((key, each.path))


def _may_hold(folder: str, prefix: str, after: str) -> bool:
    """Tell whether keys in a folder may begin with the prefix and come after a key."""
    return (folder.startswith(prefix) or prefix.startswith(folder)) and (
        folder > after or after.startswith(folder)
    )


def _file_state(path: str) -> os.stat_result:
    state = os.stat(path)
    if not S_ISREG(state.st_mode):
        raise IsADirectoryError(path)
    return state


def _read(path: str) -> tuple[bytes, os.stat_result]:
    with open(path, "rb", buffering=0) as file:
        return file.readall(), os.fstat(file.fileno())


def _open(path: str) -> tuple[BinaryIO, os.stat_result]:
    file = open(path, "rb", buffering=0)  # noqa: SIM115 - whoever asked for it closes it
    return file, os.fstat(file.fileno())


def _write(path: str, body: bytes) -> None:
    with open(path, "wb", buffering=0) as file:
        rest = memoryview(body)
        while rest:
            rest = rest[file.write(rest) :]


def _turn_into_folder(path: str, temporary: str) -> None:
    """Move the object `a` to `a/<itself>`, because a key `a/b` is being written."""
    with suppress(FileNotFoundError, FileExistsError):
        os.rename(path, temporary)
        with suppress(FileExistsError):
            os.mkdir(path)
        os.rename(temporary, f"{path}/{self_name()}")


class _Descriptor:
    """An open file that is closed when nobody refers to it any more."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


class _Lock:
    """A lock file, taken shared or alone; descriptors are kept, since opening costs most."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._free: deque[_Descriptor] = deque()
        self._process = os.getpid()

    def take(self, *, alone: bool) -> _Descriptor:
        """Wait for the lock; gives the descriptor that holds it."""
        if self._process != os.getpid():  # a descriptor shared with a parent locks nothing out
            self._process = os.getpid()
            self._free.clear()
        while True:
            try:
                held = self._free.pop()
            except IndexError:
                held = _Descriptor(self._open())
            fcntl.flock(held.number, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            if os.fstat(held.number).st_nlink:
                return held
            # Somebody deleted the folder: another file is the lock from now on.

    def give(self, held: _Descriptor) -> None:
        """Let go of the lock."""
        fcntl.flock(held.number, fcntl.LOCK_UN)
        self._free.append(held)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT
        try:
            return os.open(self._path, flags, 0o644)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            return os.open(self._path, flags, 0o644)
