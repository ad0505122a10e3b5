"""Text files as DuckDB must see them to read what the SerDe would read.

In: pieces of a text.  Out: lines, with empty ones marked (DuckDB drops them, Hive makes rows of
them); JSON whose keys are changed as the SerDe changes them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

QUOTE = "\x1a"
"""What marks an empty line: as a quoted field, it is the empty text."""
_BLANK = re.compile(rb"\n[\n\r]|\r\r")
_BLANK_LF = re.compile(rb"\n\n")
"""The same where no CR is: a search that costs a quarter."""
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ONE_CAPITAL = bytes.maketrans(_CAPITALS, b"A" * len(_CAPITALS))
_DULL = bytes(set(range(256)) - set(_CAPITALS) - set(b'":\\'))
"""What does not help to tell keys in capitals."""
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?')
_SPACE = re.compile(r"[ \t\r\n]*")


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Give the lines of a text without what ends them: LF, CR or both, as Hadoop reads them.

    >>> list(lines_of([b"a\r", b"\nb\rc\n\n", b"d"]))
    [b'a', b'b', b'c', b'', b'd']
    """
    rest = b""
    for piece in pieces:
        whole = (rest + piece).splitlines(keepends=True)
        rest = whole.pop() if whole else b""
        yield from (line.rstrip(b"\r\n") for line in whole)
    yield from rest.splitlines()


def has_empty_lines(pieces: Iterable[bytes]) -> bool:
    r"""Tell whether any line is empty.

    >>> [has_empty_lines([text]) for text in (b"\na", b"a\r\n\r\nb", b"a\r\nb\n", b"a\n\n")]
    [True, True, False, True]
    """
    before = b"\n"
    for piece in pieces:
        blank = _BLANK if b"\r" in piece else _BLANK_LF
        if _BLANK.search(before + piece[:1]) or blank.search(piece):
            return True
        before = piece[-1:] or before
    return False


def has_capital_keys(pieces: Iterable[bytes]) -> bool:
    r"""Tell whether a key of JSON has a capital letter; what else a text has is dropped first.

    >>> texts = (b'{"aBc" : 1}', b'{"a": "B", "c": "D:"}', b'{"a": "say \\"B\\": c"}')
    >>> [has_capital_keys([text]) for text in texts], has_capital_keys([b'{"A', b'b"', b": 1}"])
    ([True, False, False], True)
    """
    before = b""
    for piece in pieces:
        text = before + piece.translate(_ONE_CAPITAL, _DULL)
        if b'A":' in text:
            return True
        before = text[-2:]
    return False


def marked(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Mark empty lines; raises AthenaFailure for a text that has the mark already."""
    mark = QUOTE.encode()
    for line in lines:
        if mark in line:
            raise unsupported("A text file with empty lines and the character SUB")
        yield (line or mark + mark) + b"\n"


def records(text: bytes) -> Iterator[bytes]:
    """Give the records of a CloudTrail log, a line each."""
    try:
        found = json.loads(text)["Records"]
    except (ValueError, KeyError, TypeError) as error:
        raise AthenaFailure(
            "HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object - JSONException: {error}"
        ) from error
    for record in found:
        yield json.dumps(record, ensure_ascii=False).encode() + b"\n"


def valid_rows(lines: Iterable[bytes], *, lenient: bool) -> Iterator[bytes]:
    """Give lines that are JSON objects; others fail, or become an empty object if that is asked.

    >>> list(valid_rows([b'{"a": 1}', b"{", b"", b"5"], lenient=True))
    [b'{"a": 1}', b'{}', b'', b'{}']
    """
    for number, line in enumerate(lines, 1):
        if not line.strip() or _is_object(line):
            yield line
        elif lenient:
            yield b"{}"
        else:
            raise AthenaFailure(
                "HIVE_CURSOR_ERROR",
                f"Row is not a valid JSON Object - JSONException: line {number}",
            )


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line, parse_constant=_refuse), dict)
    except ValueError:
        return False


def _refuse(word: str) -> None:
    raise ValueError(word)


def changed_keys(lines: Iterable[bytes], change: Callable[[str], str]) -> Iterator[bytes]:
    """Change the keys of every object, at whatever depth."""
    for line in lines:
        text = line.decode(errors="surrogateescape")
        made = _STRING.sub(lambda match: change(match[0]) if match[1] else match[0], text)
        yield made.encode(errors="surrogateescape") + b"\n"


def changed_names(lines: Iterable[bytes], change: Callable[[str], str]) -> Iterator[bytes]:
    """Change the keys of each line's own object; what is no object stays as it is."""
    for line in lines:
        try:
            yield _renamed(line.decode(), change).encode() + b"\n"
        except (ValueError, IndexError):
            yield line + b"\n"


def _renamed(text: str, change: Callable[[str], str]) -> str:
    """Write an object anew; its values keep their text.

    >>> _renamed('{"A": 1.10, "b": {"A": []}}', str.lower)
    '{"a":1.10,"b":{"A": []}}'
    """
    decoder = json.JSONDecoder()
    at = _after(text, 0, "{")
    pairs: list[str] = []
    while text[at] != "}":
        if pairs:
            at = _after(text, at, ",")
        key, at = decoder.raw_decode(text, at)
        at = _after(text, at, ":")
        _, end = decoder.raw_decode(text, at)
        pairs.append(f"{json.dumps(change(key), ensure_ascii=False)}:{text[at:end]}")
        at = _skip(text, end)
    return f"{{{','.join(pairs)}{text[at:]}"


def _after(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at] != mark:
        raise ValueError(mark)
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
