"""Values by the patterns of Java's Formatter, for format().

In: a pattern and values as DuckDB hands them over.  Out: text; raises ValueError with Athena's
words, or ours for a conversion that is not built.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.render import render_double

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPEC = re.compile(
    r"%(?:(?P<index>\d+)\$|(?P<same><))?(?P<flags>[-#+ 0,(]*)(?P<width>\d+)?"
    r"(?:\.(?P<precision>\d+))?(?P<kind>[tT]?[a-zA-Z%])"
)
_WORD = 64
_PRECISION = 800
_LEAST = Decimal("1e-4")


class _Spec(NamedTuple):
    flags: str
    width: int
    precision: int | None
    kind: str


def java_format(pattern: str, values: Sequence[object]) -> str:
    """Fill a pattern, in arithmetic that holds every digit of a double."""
    with localcontext(prec=_PRECISION):
        return _filled(pattern, values)


def _filled(pattern: str, values: Sequence[object]) -> str:
    """Fill a pattern.

    >>> _filled("%2$s: %1$,.2f|%3$05d", (1234.5, "a", 42))
    'a: 1,234.50|00042'
    """
    pieces: list[str] = []
    done, ordinary, last = 0, 0, -1
    for match in _SPEC.finditer(pattern):
        pieces.append(_literal(pattern[done : match.start()], pattern))
        done = match.end()
        spec = _Spec(
            match["flags"],
            int(match["width"] or 0),
            int(match["precision"]) if match["precision"] else None,
            match["kind"],
        )
        if spec.kind in {"n", "%"}:
            pieces.append("\n" if spec.kind == "n" else _pad("%", spec))
            continue
        if match["index"]:
            last = int(match["index"]) - 1
        elif not match["same"]:
            last, ordinary = ordinary, ordinary + 1
        if not 0 <= last < len(values):
            raise _invalid(pattern, f"MissingFormatArgument: Format specifier '{match[0]}'")
        pieces.append(_one(values[last], spec, pattern))
    pieces.append(_literal(pattern[done:], pattern))
    return "".join(pieces)


def _invalid(pattern: str, why: str) -> ValueError:
    return ValueError(f"INVALID_FUNCTION_ARGUMENT: Invalid format string: {pattern} ({why})")


def _refused(what: str) -> ValueError:
    return ValueError(f"NOT_SUPPORTED: {what} in format() is not supported by the local engine")


def _literal(text: str, pattern: str) -> str:
    if "%" in text:
        raise _invalid(pattern, "UnknownFormatConversion: Conversion = '%'")
    return text


def _one(value: object, spec: _Spec, pattern: str) -> str:
    kind = spec.kind
    if kind[0] in "tT":
        text = "null" if value is None else _moment(value, kind[1], pattern)
        text = _pad(text, spec)
        return text.upper() if kind[0] == "T" else text
    if kind not in "bBsSdoxXeEfgGcC":
        if kind in "hHaA":
            raise _refused(f"%{kind}")
        raise _invalid(pattern, f"UnknownFormatConversion: Conversion = '{kind}'")
    text = _plain(value, spec, pattern)
    return text.upper() if kind.isupper() else text


def _plain(value: object, spec: _Spec, pattern: str) -> str:
    kind = spec.kind.lower()
    if kind == "b":
        return _pad(_cut(str(value is not None and value is not False).lower(), spec), spec)
    if value is None or kind == "s":
        return _pad(_cut(text_of(value), spec), spec)
    if kind == "c":
        if not isinstance(value, int) or isinstance(value, bool):
            raise _mismatch(value, spec, pattern)
        return _pad(chr(value), spec)
    if kind in "dox":
        if not isinstance(value, int) or isinstance(value, bool):
            raise _mismatch(value, spec, pattern)
        return _integer(value, spec)
    if not isinstance(value, float | Decimal):
        raise _mismatch(value, spec, pattern)
    return _fraction(value, spec)


def _mismatch(value: object, spec: _Spec, pattern: str) -> ValueError:
    names = {
        bool: "java.lang.Boolean",
        int: "java.lang.Long",
        float: "java.lang.Double",
        Decimal: "java.math.BigDecimal",
        date: "java.time.LocalDate",
        datetime: "java.time.LocalDateTime",
        time: "java.time.LocalTime",
    }
    name = names.get(type(value), "java.lang.String")
    return _invalid(pattern, f"IllegalFormatConversion: {spec.kind} != {name}")


def _cut(text: str, spec: _Spec) -> str:
    return text if spec.precision is None else text[: spec.precision]


def _pad(text: str, spec: _Spec) -> str:
    return text.ljust(spec.width) if "-" in spec.flags else text.rjust(spec.width)


def text_of(value: object) -> str:  # noqa: PLR0911 - one return a type
    """Write a value as Java's toString does."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            return render_double(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            zone = "Z[UTC]" if value.tzinfo else ""
            return f"{value.date().isoformat()}T{_clock(value.time())}{zone}"
        case time():
            return _clock(value)
        case list() | dict() | tuple() | bytes():
            raise _refused("An array, map, row or varbinary")
        case _:
            return str(value)


def _clock(value: time) -> str:
    if value.microsecond:
        digits = f"{value.microsecond:06}"
        return f"{value:%H:%M:%S}.{digits.removesuffix('000')}"
    return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"


def _integer(value: int, spec: _Spec) -> str:
    if spec.kind in "oxX":
        unsigned = value % 2**_WORD
        digits = f"{unsigned:o}" if spec.kind == "o" else f"{unsigned:x}"
        prefix = {"o": "0", "x": "0x", "X": "0x"}[spec.kind] if "#" in spec.flags else ""
        return _signed(digits, "", prefix, spec)
    digits = f"{abs(value):,}" if "," in spec.flags else str(abs(value))
    return _number(digits, spec, negative=value < 0)


def _fraction(value: float | Decimal, spec: _Spec) -> str:
    if isinstance(value, float) and (value != value or value in {float("inf"), -float("inf")}):  # noqa: PLR0124
        word = "NaN" if value != value else "Infinity"  # noqa: PLR0124
        plain = spec._replace(flags=spec.flags.replace("0", ""))
        return _number(word, plain, negative=value < 0)
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    places = 6 if spec.precision is None else spec.precision
    kind = spec.kind.lower()
    if kind == "g":
        return _general(number, places or 1, spec)
    digits = _scientific(abs(number), places) if kind == "e" else _fixed(abs(number), places, spec)
    return _number(digits, spec, negative=number.is_signed())


def _general(number: Decimal, places: int, spec: _Spec) -> str:
    size = abs(number)
    if size:
        rounded = size.quantize(Decimal(1).scaleb(size.adjusted() - places + 1), ROUND_HALF_UP)
    else:
        rounded = size
    if not size or _LEAST <= rounded < Decimal(10) ** places:
        whole = rounded.adjusted() + 1 if size else 1
        digits = _fixed(size, max(places - whole, 0), spec)
    else:
        digits = _scientific(size, places - 1)
    return _number(digits, spec, negative=number.is_signed())


def _fixed(size: Decimal, places: int, spec: _Spec) -> str:
    rounded = size.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if size else size
    return f"{rounded:,.{places}f}" if "," in spec.flags else f"{rounded:.{places}f}"


def _scientific(size: Decimal, places: int) -> str:
    if not size:
        return f"{0:.{places}f}e+00"
    unit = Decimal(1).scaleb(size.adjusted() - places)
    rounded = size.quantize(unit, ROUND_HALF_UP)
    exponent = rounded.adjusted()
    mantissa = f"{rounded.scaleb(-exponent):.{places}f}"
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def _number(digits: str, spec: _Spec, *, negative: bool) -> str:
    if negative and "(" in spec.flags:
        return _signed(digits, ")", "(", spec)
    plus = "+" if "+" in spec.flags else " " if " " in spec.flags else ""
    return _signed(digits, "", "-" if negative else plus, spec)


def _signed(digits: str, end: str, start: str, spec: _Spec) -> str:
    if "0" in spec.flags:
        digits = digits.rjust(spec.width - len(start) - len(end), "0")
    return _pad(f"{start}{digits}{end}", spec)


_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905 - as it is read
)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905 - as above


def _moment(value: object, letter: str, pattern: str) -> str:
    day = value if isinstance(value, date) else None
    clock = value if isinstance(value, time | datetime) else None
    if not isinstance(value, date | time):
        raise _mismatch(value, _Spec("", 0, None, f"t{letter}"), pattern)
    text = None
    if day is not None:
        text = _of_day(day, letter)
    if text is None and clock is not None:
        text = _of_clock(clock, letter)
    if text is None and isinstance(value, datetime) and letter == "c":
        raise _refused("%tc")
    if text is None:
        if letter in "YCyBbhmdejAaFDHIklMSLNpRTrzZsQ":
            name = {date: "java.time.LocalDate", time: "java.time.LocalTime"}
            why = f"IllegalFormatConversion: {letter} != {name.get(type(value), '')}"
            raise _refused(f"%t{letter}") if letter in "zZsQ" else _invalid(pattern, why)
        raise _invalid(pattern, f"UnknownFormatConversion: Conversion = 't{letter}'")
    return text


def _of_day(day: date, letter: str) -> str | None:
    parts = {
        "Y": f"{day.year:04}",
        "C": f"{day.year // 100:02}",
        "y": f"{day.year % 100:02}",
        "B": _MONTHS[day.month - 1],
        "b": _MONTHS[day.month - 1][:3],
        "h": _MONTHS[day.month - 1][:3],
        "m": f"{day.month:02}",
        "d": f"{day.day:02}",
        "e": str(day.day),
        "j": f"{day.timetuple().tm_yday:03}",
        "A": _DAYS[day.weekday()],
        "a": _DAYS[day.weekday()][:3],
        "F": f"{day.year:04}-{day.month:02}-{day.day:02}",
        "D": f"{day.month:02}/{day.day:02}/{day.year % 100:02}",
    }
    return parts.get(letter)


def _of_clock(clock: time | datetime, letter: str) -> str | None:
    hour = (clock.hour + 11) % 12 + 1
    half = "am" if clock.hour < 12 else "pm"  # noqa: PLR2004 - noon
    parts = {
        "H": f"{clock.hour:02}",
        "I": f"{hour:02}",
        "k": str(clock.hour),
        "l": str(hour),
        "M": f"{clock.minute:02}",
        "S": f"{clock.second:02}",
        "L": f"{clock.microsecond // 1000:03}",
        "N": f"{clock.microsecond * 1000:09}",
        "p": half,
        "R": f"{clock.hour:02}:{clock.minute:02}",
        "T": f"{clock.hour:02}:{clock.minute:02}:{clock.second:02}",
        "r": f"{hour:02}:{clock.minute:02}:{clock.second:02} {half.upper()}",
    }
    return parts.get(letter)
