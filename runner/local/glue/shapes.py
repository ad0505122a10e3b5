"""What a value in a request may be: kinds of shapes, and the words for what breaks them.

In: a value and where it stands.  Out: violations in the words of AWS's own validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from runner.local.glue.errors import GlueError

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

_UNBOUND = 1 << 62
_YEAR_1 = -62135596800
_YEAR_10000 = 253402300800
Path = tuple[()] | tuple["Path", str | int]
"""Where a value stands: what is around it, and its name or number there."""


class Shape(Protocol):
    """Finds what is wrong with a value."""

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401 - any JSON
        """Add violations to those found; raises GlueError if the kind of value is another."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    least: int = 0
    most: int = _UNBOUND
    pattern: re.Pattern[str] | None = None
    choices: tuple[str, ...] = ()
    plain: bool = False
    """Printable ASCII fits the pattern, which is quick to see."""

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401
        """Check length, pattern and choice."""
        if not isinstance(value, str):
            raise _wrong_kind(path, "a string")
        if self.least <= len(value) <= self.most:
            if self.plain and value.isascii() and value.isprintable():
                return
        else:
            _check_length(value, (self.least, self.most), path, found)
        if self.pattern and not self.pattern.fullmatch(value):
            found.append(
                _violation(value, path, f"satisfy regular expression pattern: {_java(self)}")
            )
        if self.choices and value not in self.choices:
            found.append(
                _violation(value, path, f"satisfy enum value set: [{', '.join(self.choices)}]")
            )


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer."""

    least: int = -_UNBOUND
    most: int = _UNBOUND

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401
        """Check the bounds."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_kind(path, "an integer")
        if value < self.least:
            found.append(
                _violation(value, path, f"have value greater than or equal to {self.least}")
            )
        if value > self.most:
            found.append(_violation(value, path, f"have value less than or equal to {self.most}"))


@dataclass(frozen=True, slots=True)
class Real:
    """A number."""

    least: float | None = None

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401
        """Check the lower bound."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_kind(path, "a number")
        if self.least is not None and value < self.least:
            found.append(
                _violation(value, path, f"have value greater than or equal to {self.least}")
            )


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401, ARG002
        """Check the kind."""
        if not isinstance(value, bool):
            raise _wrong_kind(path, "a boolean")


@dataclass(frozen=True, slots=True)
class Instant:
    """A time: seconds since 1970, ISO 8601 text, or a datetime."""

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401, ARG002
        """Check that it can be read as a time."""
        if isinstance(value, datetime) or _is_iso(value):
            return
        if isinstance(value, bool | str) or not isinstance(value, int | float):
            raise _wrong_kind(path, "a timestamp")
        if not _YEAR_1 <= value < _YEAR_10000:
            raise _wrong_kind(path, "a timestamp between the years 1 and 9999")


def _is_iso(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Opaque:
    """Members that are kept as they come."""

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401
        """Find nothing."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    item: Shape
    least: int = 0
    most: int = _UNBOUND

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401
        """Check the length and every item."""
        if not isinstance(value, list | tuple):
            raise _wrong_kind(path, "a list")
        _check_length(value, (self.least, self.most), path, found)
        for number, each in enumerate(value, start=1):
            self.item.check(each, (path, number), found)


@dataclass(frozen=True, slots=True)
class Pairs:
    """A map of texts to texts."""

    key: Text
    value: Text
    most: int = _UNBOUND

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401
        """Check the number, the keys and the values."""
        if not isinstance(value, dict):
            raise _wrong_kind(path, "a map")
        _check_length(value, (0, self.most), path, found)
        for key, each in value.items():
            self.key.check(key, (path, "key"), found)
            self.value.check(each, (path, key), found)


@dataclass(frozen=True, slots=True)
class Members:
    """A structure: its members' shapes, and which of them have to be there."""

    shapes: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def check(self, value: Any, path: Path, found: list[str]) -> None:  # noqa: ANN401
        """Check every member; null is the same as absent, an unknown one is passed over."""
        if not isinstance(value, dict):
            raise _wrong_kind(path, "a structure")
        for name in self.required:
            if value.get(name) is None:
                found.append(_absent((path, name)))  # noqa: PERF401 - this is the quicker way
        for name, each in value.items():
            shape = self.shapes.get(name)
            if shape is not None and each is not None:
                shape.check(each, (path, name), found)


def _absent(path: Path) -> str:
    at = f"Value null at '{_written(path)}'"
    return f"{at} failed to satisfy constraint: Member must not be null"


_INTERNAL_NAMES = {"TableInput": "table"}
"""Where AWS's messages call a member by another name than its API does."""


def _written(path: Path) -> str:
    """Write a path as AWS's messages do.

    >>> _written(((((), "PartitionInputList"), 2), "Values"))
    'partitionInputList.2.member.values'
    """
    parts: list[str] = []
    while path:
        path, last = path
        if isinstance(last, int):
            parts.append(f"{last}.member")
        else:
            parts.append(_INTERNAL_NAMES.get(last) or last[:1].lower() + last[1:])
    return ".".join(reversed(parts))


def _check_length(
    value: str | list[Any] | tuple[Any, ...] | dict[str, Any],
    bounds: tuple[int, int],
    path: Path,
    found: list[str],
) -> None:
    least, most = bounds
    if len(value) < least:
        found.append(_violation(value, path, f"have length greater than or equal to {least}"))
    elif len(value) > most:
        found.append(_violation(value, path, f"have length less than or equal to {most}"))


def _violation(value: object, path: Path, demand: str) -> str:
    at = f"Value '{_shown(value)}' at '{_written(path)}'"
    return f"{at} failed to satisfy constraint: Member must {demand}"


def _shown(value: object) -> str:
    """Write a value about as Java does.

    >>> _shown([{"Values": ["a", "b"]}])
    '[{Values=[a, b]}]'
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(each) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(each)}" for key, each in value.items()) + "}"
    return str(value)


def _java(shape: Text) -> str:
    """Write the pattern of one line or several as the service model does.

    >>> _java(Text())
    ''
    """
    text = shape.pattern.pattern if shape.pattern else ""
    return (
        text.replace("\U00010000-\U0010ffff", r"\uD800\uDC00-\uDBFF\uDFFF")
        .replace("\ud7ff", r"\uD7FF")
        .replace("\ue000", r"\uE000")
        .replace("\ufffd", r"\uFFFD")
        .replace("[ -", r"[\u0020-")
        .replace("\t", r"\t")
        .replace("\r", r"\r")
        .replace("\n", r"\n")
    )


def _wrong_kind(path: Path, kind: str) -> GlueError:
    return GlueError("SerializationException", f"{_written(path) or 'The request'} is not {kind}")
