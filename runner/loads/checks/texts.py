"""`charset`, `lengths`, `names`: texts and identifiers come through as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.loads.checks.case import BOTH, LEDGER, OWN_TABLES, REFUSED, UNFIT, Check, Said
from runner.loads.checks.shape import kept, pairs, short, target
from runner.loads.types import Family, parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.loads.checks.case import LoadCase
    from runner.loads.shapes import ColumnFacts, MartColumn
    from runner.model.loads import LoadColumn

_MOST_NAME = 64
"""MySQL: 64 characters; Embulk counts bytes."""
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f]|\s\Z|\A\Z")
_TEXTS = (Family.TEXT, Family.NESTED)
_WHOLE_UNICODE = ("utf8mb4", "utf16", "utf16le", "utf32", "gb18030")
_UNICODE_PLANE = ("utf8mb3", "utf8", "ucs2")


def _find_charset(case: LoadCase) -> Iterator[Said]:
    for column, found in pairs(case):
        if parse_type(column.athena_type).family in _TEXTS and not case.lite:
            yield from _charset_of(case, column, found)
            yield from _broken_lines(case, column)
    if case.merges:
        yield from _key_collations(case)


def _charset_of(case: LoadCase, column: LoadColumn, found: MartColumn) -> Iterator[Said]:
    seen = case.facts.columns.get(column.name) if case.facts is not None else None
    if found.charset in ("", "binary", *_WHOLE_UNICODE):
        return
    advice = (
        f"ALTER TABLE {case.quoted(case.name)} CONVERT TO CHARACTER SET utf8mb4, or MODIFY "
        "the column alone"
    )
    if seen is None:
        if case.engine == "embulk":
            message = f"column {found.name} is {found.charset}, which lacks most characters"
            yield Said("Load.Charset", message, advice, "warning")
        return
    lost = _lost(found.charset, seen)
    if lost:
        yield Said(
            UNFIT,
            f"column {found.name} is {found.charset}, and {lost} rows hold characters that it may "
            "lack",
            advice,
            "error" if found.charset in ("ascii", *_UNICODE_PLANE) else "warning",
        )


def _broken_lines(case: LoadCase, column: LoadColumn) -> Iterator[Said]:
    """Find what Embulk's parser does not bring through, quoted or not.

    It reads lines, ended by CR, LF or CR LF, and joins those of one text with line feeds.
    """
    seen = case.facts.columns.get(column.name) if case.facts is not None else None
    if case.engine != "embulk" or seen is None:
        return
    for count, what, becomes, code in (
        (seen.carriage_returns, "carriage returns", "makes line feeds of them without a word", 13),
        (seen.zero_characters, "the character U+0000", "takes it for the end of the file", 0),
    ):
        if count:
            yield Said(
                UNFIT,
                f"column {column.name} has {what} in {count} rows, and Embulk {becomes}",
                f"select replace({column.name}, chr({code})) in the SQL, or write engine: native",
            )


def _lost(charset: str, seen: ColumnFacts) -> int:
    """Count the rows with characters that a character set lacks, or may lack."""
    return seen.beyond_plane if charset in _UNICODE_PLANE else seen.beyond_ascii


def _key_collations(case: LoadCase) -> Iterator[Said]:
    table = target(case)
    columns = [table.column(key) for key in case.manifest.keys]
    loose = [one for one in columns if one is not None and ignores(one.collation)]
    if not loose:
        return
    names = ", ".join(f"{one.name} ({one.collation})" for one in loose)
    exact = {"mysql": "utf8mb4_0900_bin", "mariadb": "utf8mb4_nopad_bin", "sqlite": "BINARY"}
    advice = (
        f"give the key's columns COLLATE {exact[case.server.product]}, which compares every "
        "character, or bring the keys into one form in the SQL"
    )
    if case.facts is None:
        message = (
            f"key {names} of {case.name} takes some texts for equal that differ: rows whose keys "
            "differ in case or in blanks at the end only would become one"
        )
        yield Said("Load.LooseKey", message, advice, "warning")
        return
    folded = any(ignores(one.collation) == "case" for one in loose)
    count = case.facts.case_variants if folded else case.facts.blank_variants
    if count:
        yield Said(
            "Load.KeysNotUnique",
            f"{count} keys differ from another's in case, accents or blanks at the end only, and "
            f"key {names} of {case.name} takes them for one",
            advice,
        )


def ignores(collation: str) -> str:
    """Say what a collation ignores when it compares: `case`, `blanks` at the end, or nothing.

    >>> [ignores(one) for one in ("utf8mb4_general_ci", "utf8mb4_0900_bin", "utf8mb4_bin", "")]
    ['case', '', 'blanks', '']
    """
    name = collation.lower()
    if name in ("", "binary", "utf8mb4_0900_bin") or name.endswith("_nopad_bin"):
        return ""
    return "blanks" if name.endswith(("_bin", "rtrim")) else "case"


def _find_lengths(case: LoadCase) -> Iterator[Said]:
    table = kept(case)
    if table is not None:
        yield from short(case, table)
    if case.facts is None or case.lite:
        return
    for column, found in pairs(case):
        seen = case.facts.columns.get(column.name)
        if seen is not None and parse_type(column.athena_type).family in _TEXTS:
            yield from _too_long(case, column, found, seen)


def _too_long(
    case: LoadCase, column: LoadColumn, found: MartColumn, seen: ColumnFacts
) -> Iterator[Said]:
    for most, longest, unit in (
        (found.characters, seen.characters, "characters"),
        (found.bytes, seen.bytes, "bytes"),
    ):
        if most and longest is not None and longest > most:
            yield Said(
                UNFIT,
                f"column {found.name} is {found.full_type} and takes {most} {unit}; the longest "
                f"value has {longest}",
                f"ALTER TABLE {case.quoted(case.name)} MODIFY COLUMN {case.quoted(found.name)} "
                f"{_wider(longest, unit)}; or name that type under `load: types:` if the load "
                f"makes the table; or cut {column.name} in the SQL",
            )


def _wider(longest: int, unit: str) -> str:
    return f"VARCHAR({longest})" if unit == "characters" else "LONGTEXT"


def _find_names(case: LoadCase) -> Iterator[Said]:
    table = case.name
    yield from _name_faults(case, "table", table)
    for column in case.manifest.all_columns:
        yield from _name_faults(case, "column", column.name)
    if table.lower().startswith(OWN_TABLES):
        yield Said(
            REFUSED,
            f"table {table}: names that begin with {OWN_TABLES} are the loader's own ({LEDGER})",
            "choose another name under `load: table:`",
        )
    twins = [one for one in case.server.tables if one != table and one.lower() == table.lower()]
    if twins and not case.lite:
        yield Said(
            REFUSED,
            f"table {table}: the mart has {', '.join(twins)}, which differs in case only; Embulk "
            "may take that one",
            "write the name as the mart does, or rename one of the tables",
            "error" if case.engine == "embulk" else "warning",
        )


def _name_faults(case: LoadCase, what: str, name: str) -> Iterator[Said]:
    advice = f"choose another name for the {what}"
    if _UNUSABLE.search(name):
        yield Said(REFUSED, f"{what} {name!r} is no name that a mart takes", advice)
    if len(name.encode()) > _MOST_NAME and not case.lite:
        yield Said(REFUSED, f"{what} {name}: MySQL's names end at {_MOST_NAME} bytes", advice)
    if "`" in name and case.engine == "embulk":
        yield Said(REFUSED, f"{what} {name}: Embulk does not quote the mark ` in a name", advice)


CHARSET = Check(
    "charset",
    "A column that is not utf8mb4 loses characters, Embulk changes carriage returns, and a key "
    "that ignores case makes one row of two.",
    BOTH,
    ("shapes",),
    _find_charset,
)
LENGTHS = Check(
    "lengths",
    "A text that is longer than its column is cut, or fails the load late.",
    BOTH,
    ("shapes",),
    _find_lengths,
)
NAMES = Check(
    "names",
    "Names end at 64 bytes, and Embulk neither quotes backticks nor keeps to the case of a name.",
    BOTH,
    ("shapes",),
    _find_names,
)
