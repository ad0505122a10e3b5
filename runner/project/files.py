"""The one place that reads the user's files.

In: the root folder of a project.  Out: a `Snapshot`: every file that loading looks at, with its
bytes, and the names of the folders under lambdas/, whose code is read when it is packed.  Nothing
else in loading touches the disk, so one load sees one state of the files.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import runner
from runner.errors import Fault, Place, ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = "config.yaml"
MACROS = "sql/macros"
LAMBDAS = "lambdas"
SETTINGS = "function.yaml"
BUNDLED = Path(runner.__file__).parent / "functions"
"""Functions that come with this package."""


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file of the project."""

    path: str
    """Relative to the root, with forward slashes."""
    data: bytes
    digest: str
    """SHA-256 of the bytes, in hex."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that loading reads, in the order of the paths."""

    root: str
    files: tuple[FileBytes, ...]
    lambdas: tuple[str, ...]
    """Folders under lambdas/ that hold a handler.py."""
    incomplete_lambdas: tuple[str, ...]
    """Folders under lambdas/ without a handler.py."""
    builtins: tuple[str, ...]
    """Functions that come with this package."""


def find_root(start: Path) -> Path:
    """Find the folder that holds config.yaml, from `start` upward; ProjectError without one."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG).is_file():
            return folder
    raise ProjectError(
        [
            Fault(
                Place(str(start)),
                "no-project",
                f"no {CONFIG} in this folder or above it",
                f"a project: a folder with {CONFIG} and sql/",
                "change into the project's folder, or make one with `runner init`",
            )
        ]
    )


def read_snapshot(root: Path) -> Snapshot:
    """Read every file of the project; files that are not its business are left alone."""
    paths = [CONFIG] if (root / CONFIG).is_file() else []
    paths += _walk(root, "sql", (".sql",))
    paths += _walk(root, "workflows", (".yaml", ".yml"))
    paths += _settings(root)
    files = tuple(_read(root, path) for path in sorted(paths))
    complete, incomplete = _lambda_folders(root / LAMBDAS)
    builtins, _ = _lambda_folders(BUNDLED)
    return Snapshot(str(root), files, complete, incomplete, builtins)


def _read(root: Path, path: str) -> FileBytes:
    data = (root / path).read_bytes()
    return FileBytes(path, data, hashlib.sha256(data).hexdigest())


def _walk(root: Path, folder: str, endings: tuple[str, ...]) -> Iterator[str]:
    try:
        entries = list(os.scandir(root / folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        path = f"{folder}/{entry.name}"
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(root, path, endings)
        elif entry.name.lower().endswith(endings):
            yield path


def _settings(root: Path) -> Iterator[str]:
    """Give function.yaml of every function, and what is spelled nearly so."""
    for name in (SETTINGS, "function.yml"):
        for path in (root / LAMBDAS).glob(f"*/{name}"):
            yield path.relative_to(root).as_posix()


def _lambda_folders(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not folder.is_dir():
        return (), ()
    folders = [
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))
    ]
    complete = tuple(sorted(p.name for p in folders if (p / "handler.py").is_file()))
    return complete, tuple(sorted(p.name for p in folders if p.name not in complete))


def decode(file: FileBytes) -> tuple[str, tuple[Fault, ...]]:
    """Read the bytes as UTF-8 text with plain line ends; a fault when they are something else."""
    try:
        text = file.data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = file.data.count(b"\n", 0, error.start) + 1
        column = error.start - file.data.rfind(b"\n", 0, error.start)
        fault = Fault(
            Place(file.path, line, column),
            "not-utf8",
            f"the byte 0x{file.data[error.start]:02X}",
            "text in UTF-8",
            "save the file as UTF-8",
        )
        return "", (fault,)
    return text.replace("\r\n", "\n").removeprefix("\ufeff"), ()
