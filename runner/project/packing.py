"""Folders of code to zip files: the same files give the same bytes, whoever packs them and where.

In: folders.  Out: files by their path in the package, sorted; their zip; a hash of what is in it.
Times, owners, modes and the order of a folder's entries never reach the bytes.
"""

from __future__ import annotations

import ast
import hashlib
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault, Place
from runner.project.files import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REQUIREMENTS = "requirements.txt"
MOST_UNZIPPED = 262_144_000
"""Bytes of a function's files, unzipped: Lambda's limit, layers included."""
_LEFT_OUT = frozenset({"__pycache__", "__MACOSX"})
_LEFT_OUT_AT_TOP = frozenset({"tests", SETTINGS, "function.yml", REQUIREMENTS})
_BYTECODE = (".pyc", ".pyo")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can hold."""
_MODE = 0o100755
_UNIX = 3
_LEVEL = 9
_MOST_NAMED = 5
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file of a package."""

    path: str
    """In the package, with forward slashes."""
    data: bytes


def own_files(folder: Path) -> tuple[PackedFile, ...]:
    """Read a function's own files: no tests, no bytecode, nothing hidden, none of our settings.

    Links are followed, so that two functions may share a folder.
    """
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    kept = [entry for entry in entries if entry.name not in _LEFT_OUT_AT_TOP]
    found = [file for entry in kept for file in _files(entry, entry.name, (folder.resolve(),))]
    return tuple(sorted(found, key=lambda file: file.path))


def _files(entry: Path, path: str, above: tuple[Path, ...]) -> Iterator[PackedFile]:
    if entry.name in _LEFT_OUT or entry.name.startswith(".") or entry.name.endswith(_BYTECODE):
        return
    if not entry.is_dir():
        yield PackedFile(path, entry.read_bytes())
        return
    real = entry.resolve()
    if real in above:  # a link that leads back up
        return
    for inner in entry.iterdir():
        yield from _files(inner, f"{path}/{inner.name}", (*above, real))


def vendored_files(folder: Path) -> tuple[PackedFile, ...]:
    """Read installed dependencies; what must not be packed was removed when they were installed."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    found = [PackedFile(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths]
    return tuple(sorted(found, key=lambda file: file.path))


def merged(own: Iterable[PackedFile], vendored: Iterable[PackedFile]) -> tuple[PackedFile, ...]:
    """Put files together; where both have one, the function's own counts."""
    found = {file.path: file for file in vendored} | {file.path: file for file in own}
    return tuple(found[path] for path in sorted(found))


def digest_of(files: Iterable[PackedFile]) -> str:
    """Hash names and bytes, before compression: machines differ in how they compress."""
    digest = hashlib.sha256()
    for file in files:
        name = file.path.encode()
        digest.update(b"%d:%s%d:" % (len(name), name, len(file.data)))
        digest.update(file.data)
    return digest.hexdigest()


def zip_of(files: Iterable[PackedFile]) -> bytes:
    """Write the zip file of sorted files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.path, _FIRST_DAY)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.data)
    return buffer.getvalue()


# --- what Lambda or we refuse ---------------------------------------------------------------------


def size_faults(files: Iterable[PackedFile], *, place: Place) -> tuple[Fault, ...]:
    """Refuse more than a function may hold, naming the largest parts."""
    parts: dict[str, int] = {}
    for file in files:
        top = file.path.partition("/")[0]
        parts[top] = parts.get(top, 0) + len(file.data)
    total = sum(parts.values())
    if total <= MOST_UNZIPPED:
        return ()
    largest = sorted(parts.items(), key=lambda part: (-part[1], part[0]))[:_MOST_NAMED]
    named = ", ".join(f"{name} {size / _MIB:.0f} MiB" for name, size in largest)
    return (
        Fault(
            place,
            "package-too-large",
            f"{total / _MIB:.0f} MiB of files; the largest are {named}",
            f"at most {MOST_UNZIPPED // _MIB} MiB, unzipped: Lambda takes no more",
            "remove dependencies, or do this work in an ECS task",
        ),
    )


def import_faults(files: Iterable[PackedFile], *, folder: str) -> tuple[Fault, ...]:
    """Refuse imports of `runner`, which is not there when the function runs on AWS."""
    python = [file for file in files if file.path.endswith(".py")]
    if any(file.path == "runner.py" or file.path.startswith("runner/") for file in python):
        return ()  # a module of the function's own
    return tuple(
        Fault(
            Place(f"{folder}/{file.path}", line, column + 1),
            "function-imports-runner",
            "an import of runner",
            "a function that needs its own files and its requirements.txt only",
            "copy what it needs into the folder",
        )
        for file in python
        for line, column in sorted(_imports_of_ours(file.data))
    )


def _imports_of_ours(source: bytes) -> Iterator[tuple[int, int]]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # perhaps of a newer Python than this one
        return
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module]
            case _:
                continue
        if any(module.partition(".")[0] == "runner" for module in modules):
            assert isinstance(node, ast.stmt)  # noqa: S101 - both cases are statements
            yield node.lineno, node.col_offset
