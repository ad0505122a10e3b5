"""Functions of text, by code points as Trino counts them; NULL arguments never arrive."""

from __future__ import annotations

import math
import unicodedata
from decimal import ROUND_HALF_EVEN, Decimal

from runner.local.athena.javaformat import java_format
from runner.local.athena.stemming import stem

_LAST, _SURROGATES = 0x10FFFF, range(0xD800, 0xE000)
_LONGEST_PAD = 2**31 - 1
_SOUNDS = {
    letter: digit
    for letters, digit in (
        ("BFPV", "1"),
        ("CGJKQSXZ", "2"),
        ("DT", "3"),
        ("L", "4"),
        ("MN", "5"),
        ("R", "6"),
    )
    for letter in letters
}


def _bad(message: str) -> ValueError:
    return ValueError(f"INVALID_FUNCTION_ARGUMENT: {message}")


def chr(number: int) -> str:  # noqa: A001 - Trino's name
    """Give the character of a code point."""
    if not 0 <= number <= _LAST or number in _SURROGATES:
        raise _bad(f"Not a valid Unicode code point: {number}")
    return bytes.decode(number.to_bytes(4, "big"), "utf-32-be")


def codepoint(text: str) -> int:
    """Give the code point of a text of one character."""
    if len(text) != 1:
        raise _bad("Input string must be a single character string")
    return ord(text)


def format(pattern: str | None, *values: object) -> str | None:  # noqa: A001 - Trino's name
    """Format values by a pattern of Java's Formatter."""
    return None if pattern is None else java_format(pattern, values)


_MOST = 2**63


def format_number(number: float) -> str:
    """Write a number shortly with the unit of its size: 1.23K, 2.35M."""
    whole = 0 if math.isnan(number) else int(max(min(number, _MOST), -_MOST))
    value = float(max(min(whole, _MOST - 1), -_MOST))
    size = abs(value)
    unit = next(
        (
            each
            for each in (("Q", 15), ("T", 12), ("B", 9), ("M", 6), ("K", 3))
            if size >= 10 ** each[1]
        ),
        ("", 0),
    )
    scaled = value
    for _ in range(unit[1] // 3):
        scaled /= 1000
    places = 2 if scaled < 10 else 1 if scaled < 100 else 0  # noqa: PLR2004
    rounded = Decimal(scaled).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    text = f"{rounded:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + unit[0]


def hamming_distance(left: str, right: str) -> int:
    """Count the places where two texts of one length differ."""
    if len(left) != len(right):
        raise _bad("The input strings to hamming_distance function must have the same length")
    return sum(a != b for a, b in zip(left, right, strict=True))


def levenshtein_distance(left: str, right: str) -> int:
    """Count the fewest insertions, deletions and replacements between two texts."""
    row = list(range(len(right) + 1))
    for number, letter in enumerate(left, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(right, 1):
            above = row[place]
            row[place] = min(above + 1, row[place - 1] + 1, before + (letter != other))
            before = above
    return row[-1]


def lpad(text: str, size: int, padding: str) -> str:
    """Pad on the left, or cut, to a size."""
    return _padding(text, size, padding) + text[: max(size, 0)]


def rpad(text: str, size: int, padding: str) -> str:
    """Pad on the right, or cut, to a size."""
    return text[: max(size, 0)] + _padding(text, size, padding)


def _padding(text: str, size: int, padding: str) -> str:
    if not 0 <= size <= _LONGEST_PAD:
        raise _bad(f"Target length must be in the range [0..{_LONGEST_PAD}]")
    if not padding:
        raise _bad("Padding string must not be empty")
    missing = size - len(text)
    return (padding * (missing // len(padding) + 1))[:missing] if missing > 0 else ""


def luhn_check(text: str) -> bool:
    """Tell whether a text of digits is valid by Luhn's algorithm."""
    if not text:
        return False
    if not (text.isascii() and text.isdigit()):
        raise _bad("Input string must only contain digits")
    doubled = (sum(divmod(int(each) * 2, 10)) for each in text[-2::-2])
    return (sum(map(int, text[-1::-2])) + sum(doubled)) % 10 == 0


def normalize(text: str, form: str) -> str:
    """Normalize by NFC, NFD, NFKC or NFKD."""
    match form.upper():
        case "NFC" | "NFD" | "NFKC" | "NFKD" as known:
            return unicodedata.normalize(known, text)
        case _:
            raise _bad(f"Normalization form must be one of [NFD, NFC, NFKD, NFKC]: {form}")


def replace(text: str, old: str, new: str) -> str:
    """Replace every occurrence; nothing at all occurs around every character."""
    return text.replace(old, new)


def reverse(text: str) -> str:
    """Give the code points backwards."""
    return text[::-1]


def soundex(text: str) -> str:
    """Give the phonetic code of a word, as Apache Commons Codec does."""
    letters = [each for each in text.upper() if each.isalpha()]
    if not letters:
        return ""
    strange = next((each for each in letters if not "A" <= each <= "Z"), None)
    if strange is not None:
        raise _bad(f"The character is not mapped: {strange} (index={ord(strange) - ord('A')})")
    code, last = letters[0], _SOUNDS.get(letters[0], "0")
    for letter in letters[1:]:
        if letter in "HW":
            continue
        digit = _SOUNDS.get(letter, "0")
        if digit not in {"0", last}:
            code += digit
        last = digit
    return code[:4].ljust(4, "0")


def split(text: str, delimiter: str) -> list[str]:
    """Split at every delimiter."""
    if not delimiter:
        raise _bad("The delimiter may not be the empty string")
    return text.split(delimiter)


def split_most(text: str, delimiter: str, most: int) -> list[str]:
    """Split into at most so many parts; the last one holds the rest."""
    if most <= 0:
        raise _bad("Limit must be positive")
    if most > _LONGEST_PAD:
        raise _bad("Limit is too large")
    if not delimiter:
        raise _bad("The delimiter may not be the empty string")
    return text.split(delimiter, most - 1)


def split_part(text: str, delimiter: str, number: int) -> str | None:
    """Give one part, counted from 1; NULL if there are fewer."""
    if number <= 0:
        raise _bad("Index must be greater than zero")
    if not delimiter:
        return text[number - 1] if number <= len(text) else None
    parts = text.split(delimiter)
    return parts[number - 1] if number <= len(parts) else None


def _pairs(text: str, entry: str, key: str) -> list[tuple[str, str]]:
    if not entry:
        raise _bad("entryDelimiter is empty")
    if not key:
        raise _bad("keyValueDelimiter is empty")
    if entry == key:
        raise _bad("entryDelimiter and keyValueDelimiter must not be the same")
    pieces = text.removesuffix(entry).split(entry) if text else []
    found = []
    for piece in pieces:
        name, mark, value = piece.partition(key)
        if not mark:
            raise _bad(
                f"Key-value delimiter must appear exactly once in each entry. Bad input: '{piece}'"
            )
        found.append((name, value))
    return found


def split_to_map(text: str, entry: str, key: str) -> dict[str, str]:
    """Read pairs of key and value; a key must not come twice."""
    found: dict[str, str] = {}
    for name, value in _pairs(text, entry, key):
        if key in value:
            raise _bad(
                "Key-value delimiter must appear exactly once in each entry. "
                f"Bad input: '{name}{key}{value}'"
            )
        if name in found:
            raise _bad(f"Duplicate keys ({name}) are not allowed")
        found[name] = value
    return found


def split_to_multimap(text: str, entry: str, key: str) -> dict[str, list[str]]:
    """Read pairs of key and value; a key's values are gathered."""
    found: dict[str, list[str]] = {}
    for name, value in _pairs(text, entry, key):
        if key in value:
            raise _bad(
                "Key-value delimiter must appear exactly once in each entry. "
                f"Bad input: '{name}{key}{value}'"
            )
        found.setdefault(name, []).append(value)
    return found


def strpos_nth(text: str, part: str, instance: int) -> int:
    """Give the place of the n-th occurrence, from the end if n is negative; 0 if there is none."""
    if instance == 0:
        raise _bad("'instance' must be a positive or negative number.")
    if not part:
        return 1
    place = -1 if instance > 0 else len(text)
    for _ in range(abs(instance)):
        if instance > 0:
            place = text.find(part, place + 1)
        else:
            place = text.rfind(part, 0, place + len(part) - 1) if place + len(part) > 0 else -1
        if place < 0:
            return 0
    return place + 1


def translate(text: str, source: str, target: str) -> str:
    """Replace characters by those at the same place; without one they are dropped."""
    table: dict[int, str | None] = {}
    for number, letter in enumerate(source):
        table.setdefault(ord(letter), target[number] if number < len(target) else None)
    return text.translate(table)


def word_stem(word: str) -> str:
    """Give the stem of an English word."""
    return stem(word)
