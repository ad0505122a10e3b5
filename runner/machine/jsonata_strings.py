"""JSONata's functions over texts, where the library's stray from them.

Why they are mended: matchers are functions like any other (regular expressions and lambdas), with
JavaScript's `$1` in replacements and an error for empty matches; sizes are known before a text is
made; what is not a text is refused in JSONata's words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from runner.machine.jsonata_errors import Complaint
from runner.machine.jsonata_evaluator import checked, is_callable
from runner.machine.jsonata_natives import afford, apply, charge, sequence
from runner.machine.jsonata_text import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.machine.jsonata_text import Value

_UNRESERVED = "!'()*-._~"
_URL = _UNRESERVED + ";/?:@&=+$,#"
_URL_KEEPS = ";/?:@&=+$,#"
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BLANKS = re.compile(r"[ \t\n\r]+")


def string(value: Value, pretty: Value) -> Value:
    """Cast to a text."""
    if value is None or isinstance(value, str):
        return value
    if is_callable(value):
        return ""
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124
        raise Complaint("D3001", value=value)
    text = json_text(checked(value), indent="  " if pretty else "")
    afford(len(text))
    return text


def length(text: Value) -> Value:
    """Count characters."""
    return None if text is None else len(text)


def substring(text: Value, start: Value, size: Value) -> Value:
    """Cut out a part."""
    if text is None:
        return None
    start = 0 if start is None else start
    if len(text) + start < 0:
        start = 0
    if size is None:
        return text[int(start) :]
    if size <= 0:
        return ""
    end = start + size if start >= 0 else len(text) + start + size
    return text[int(start) : int(end)]


def before(text: Value, characters: Value) -> Value:
    """Give what is before the first occurrence."""
    if text is None:
        return None
    position = text.find(_text(characters))
    return text if position < 0 else text[:position]


def after(text: Value, characters: Value) -> Value:
    """Give what is behind the first occurrence; all of it when there is none."""
    if text is None:
        return None
    position = text.find(_text(characters))
    return text if position < 0 else text[position + len(_text(characters)) :]


def _text(value: Value) -> str:
    return "undefined" if value is None else str(value)


def lowercase(text: Value) -> Value:
    """Make small letters."""
    return None if text is None else text.lower()


def uppercase(text: Value) -> Value:
    """Make capitals."""
    return None if text is None else text.upper()


def trim(text: Value) -> Value:
    """Make single spaces of blanks, and none at the ends."""
    return None if text is None else _BLANKS.sub(" ", text).removeprefix(" ").removesuffix(" ")


def pad(text: Value, width: Value, filler: Value) -> Value:
    """Fill up to a width, to the right or (negative) to the left."""
    if text is None:
        return None
    width = 0 if width is None else int(width)
    missing = abs(width) - len(text)
    if missing <= 0:
        return text
    afford(abs(width))
    filler = filler or " "
    padding = (filler * (missing // len(filler) + 1))[:missing]
    return text + padding if width > 0 else padding + text


def _matches(matcher: Value, text: str) -> Iterator[dict[str, Value]]:
    match = _matched(apply(matcher, [text]))
    while match is not None:
        yield match
        match = _matched(apply(match["next"], []))


def _matched(match: Value) -> Value:
    if match is None or match is False:
        return None
    if not (isinstance(match, dict) and {"start", "end", "groups", "next"} & match.keys()):
        raise Complaint("T1010")
    return match


def contains(text: Value, token: Value) -> Value:
    """Tell whether there is a text or a match."""
    if text is None:
        return None
    if isinstance(token, str):
        return token in text
    return next(_matches(token, text), None) is not None


def match(text: Value, matcher: Value, limit: Value) -> Value:
    """List the matches."""
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise Complaint("D3040", value=limit, index=3)
    found = sequence(())
    if limit is not None and limit <= 0:
        return found
    for one in _matches(matcher, text):
        found.append(
            {"match": one.get("match"), "index": one.get("start"), "groups": one.get("groups")}
        )
        if limit is not None and len(found) >= limit:
            break
    return found


def split(text: Value, separator: Value, limit: Value) -> Value:
    """Split at a text or at matches."""
    if text is None:
        return None
    if limit is not None and limit < 0:
        raise Complaint("D3020", value=limit, index=3)
    most = len(text) + 2 if limit is None else limit
    charge(len(text))
    if isinstance(separator, str):
        parts = text.split(separator) if separator else list(text)
        return parts[: int(most)]
    parts, start = [], 0
    if most <= 0:
        return parts
    for one in _matches(separator, text):
        if len(parts) >= most:
            return parts
        parts.append(text[start : int(one["start"])])
        start = int(one["end"])
    if len(parts) < most:
        parts.append(text[start:])
    return parts


def replace(text: Value, pattern: Value, replacement: Value, limit: Value) -> Value:
    """Replace a text or matches."""
    if text is None:
        return None
    if pattern == "":
        raise Complaint("D3010", value=pattern, index=2)
    if limit is not None and limit < 0:
        raise Complaint("D3011", value=limit, index=4)
    if limit is not None and limit <= 0:
        return text
    if isinstance(pattern, str):
        return _replaced_text(text, pattern, replacement, limit)
    pieces: list[str] = []
    position = 0
    for done, one in enumerate(_matches(pattern, text)):
        if limit is not None and done >= limit:
            break
        pieces.append(text[position : one["start"]])
        pieces.append(_replacement(replacement, one))
        position = one["start"] + len(one["match"])
    return "".join([*pieces, text[position:]])


def _replaced_text(text: str, pattern: str, replacement: Value, limit: Value) -> str:
    new = replacement if isinstance(replacement, str) else _text(replacement)
    times = text.count(pattern) if limit is None else min(text.count(pattern), -int(-limit // 1))
    afford(len(text) + times * (len(new) - len(pattern)))
    return text.replace(pattern, new, times)


def _replacement(replacement: Value, one: dict[str, Value]) -> str:
    if isinstance(replacement, str):
        return _substituted(replacement, one)
    made = apply(replacement, [one])
    if not isinstance(made, str):
        raise Complaint("D3012", value=made)
    return made


def _substituted(template: str, one: dict[str, Value]) -> str:
    groups = one["groups"]
    digits = len(str(len(groups)))

    def group(found: re.Match[str]) -> str:
        rest = found[1]
        if rest[0] in "$0":
            return ("$" if rest[0] == "$" else one["match"]) + rest[1:]
        taken = rest[:digits]
        if digits > 1 and int(taken) > len(groups):
            taken = rest[: digits - 1]
        number = int(taken)
        value = groups[number - 1] if 0 < number <= len(groups) else None
        return ("" if value is None else value) + rest[len(str(number)) :]

    return re.sub(rf"\$(\$|0|[0-9]{{1,{digits}}})", group, template)


def join(texts: Value, separator: Value) -> Value:
    """Join texts."""
    if texts is None:
        return None
    separator = separator or ""
    afford(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def encode_component(text: Value) -> Value:
    """Encode a part of a URL."""
    return _encoded(text, _UNRESERVED, "encodeUrlComponent")


def encode_url(text: Value) -> Value:
    """Encode a whole URL."""
    return _encoded(text, _URL, "encodeUrl")


def _encoded(text: Value, safe: str, name: str) -> Value:
    if text is None:
        return None
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise Complaint("D3140", value=text, functionName=name) from error


def decode_component(text: Value) -> Value:
    """Decode a part of a URL."""
    return _decoded(text, "", "decodeUrlComponent")


def decode_url(text: Value) -> Value:
    """Decode a whole URL; its reserved characters stay encoded."""
    return _decoded(text, _URL_KEEPS, "decodeUrl")


def _decoded(text: Value, kept: str, name: str) -> Value:
    if text is None:
        return None
    try:
        if _PERCENT.search(text):
            raise ValueError(text)  # noqa: TRY301
        for character in kept:
            code = f"%{ord(character):02x}"
            text = re.sub(
                code, lambda found: found[0].replace("%", "%25"), text, flags=re.IGNORECASE
            )
        return unquote(text, errors="strict")
    except ValueError as error:
        raise Complaint("D3140", value=text, functionName=name) from error
