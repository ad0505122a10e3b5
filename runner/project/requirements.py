"""`requirements.txt` of a function: what it asks for, and where each line stands.

In: a function's folder.  Out: its lines, those of the files that it names included, and a key over
everything that decides what is installed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, ProjectError
from runner.project.cache import key_of
from runner.project.packing import REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"(^|\s)#.*$")
_INCLUDED = re.compile(r"(?:-r|-c|--requirement|--constraint)[\s=]*(\S.*)\Z")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:[\s=]|\Z)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEPARATORS = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A requirement, or an option of pip."""

    place: Place
    text: str

    @property
    def name(self) -> str:
        """Give the distribution's name as indexes know it; empty for an option."""
        return "" if self.text.startswith("-") else normalised(self.text)


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a function asks for."""

    folder: Path
    file: str
    """The file as the project knows it, for faults."""
    lines: tuple[Line, ...]
    files: tuple[tuple[str, str], ...]
    """Local files that lines name, and their SHA-256."""

    @property
    def wanted(self) -> bool:
        """Tell whether anything is to be installed."""
        return any(not line.text.startswith("-") for line in self.lines)

    def key(self, *platform: str) -> str:
        """Hash everything that decides what is installed for a platform."""
        texts = [line.text for line in self.lines]
        files = [text for pair in self.files for text in pair]
        return key_of([*platform, "/", *texts, "/", *files])


def normalised(text: str) -> str:
    """Give the name at the beginning of a requirement as indexes compare it.

    >>> normalised("Ruamel_Yaml[x] >=0.18")
    'ruamel-yaml'
    """
    found = _NAME.match(text)
    return _SEPARATORS.sub("-", found[0]).lower() if found else ""


def read_requirements(folder: Path, *, shown: str) -> Requirements | None:
    """Read the file of a folder, None without one; ProjectError for what cannot be packed.

    `shown` is the folder as the project knows it.
    """
    if not (folder / REQUIREMENTS).is_file():
        return None
    faults: list[Fault] = []
    lines = tuple(_lines(folder, REQUIREMENTS, shown, (), faults))
    files = tuple(_local_files(folder, lines, faults))
    if faults:
        raise ProjectError(faults)
    return Requirements(folder, f"{shown}/{REQUIREMENTS}", lines, files)


def _lines(
    folder: Path, file: str, shown: str, above: tuple[Path, ...], faults: list[Fault]
) -> Iterator[Line]:
    path = (folder / file).resolve()
    for number, text in _logical(path.read_text("utf-8-sig")):
        place = Place(f"{shown}/{file}", number)
        included = _INCLUDED.match(text)
        if _EDITABLE.match(text):
            faults.append(_unpackable(place, text))
        elif included is None:
            yield Line(place, text)
        else:
            inner = (Path(file).parent / included[1].strip()).as_posix()
            known = (folder / inner).resolve()
            if not known.is_file():
                expected = "a file, beside the one that names it"
                advice = "correct the name, or add the file"
                faults.append(Fault(place, "file-not-found", inner, expected, advice))
            elif known not in (*above, path):
                yield Line(place, text)
                yield from _lines(folder, inner, shown, (*above, path), faults)


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Give lines without comments, those that end in a backslash joined with the next."""
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        start = start or number
        pending += _COMMENT.sub("", raw)
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        if pending.strip():
            yield start, " ".join(pending.split())
        pending, start = "", 0
    if pending.strip():
        yield start, " ".join(pending.split())


def _local_files(
    folder: Path, lines: tuple[Line, ...], faults: list[Fault]
) -> Iterator[tuple[str, str]]:
    for line in lines:
        target = line.text.partition(" @ ")[2] or line.text
        word = target.split(" ", 1)[0].removeprefix("file:")
        if line.text.startswith("-") or "://" in target or not ("/" in word or "." in word):
            continue
        path = folder / word
        if path.is_dir():
            faults.append(_unpackable(line.place, line.text))
        elif path.is_file():
            yield word, hashlib.sha256(path.read_bytes()).hexdigest()


def _unpackable(place: Place, text: str) -> Fault:
    return Fault(
        place,
        "requirement-not-packable",
        f"`{text}`, a folder of source code",
        "a distribution with a version, or a wheel",
        "copy the code into the function's folder, or build a wheel and name it",
    )
