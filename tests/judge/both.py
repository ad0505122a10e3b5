"""One query on Trino and on the local Athena, and what came of it.

In: a `Case`.  Out: a `Verdict`: same, both failed, refused by name, or different with both sides.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena import AthenaFailure, LocalAthena
from runner.local.athena.sqltypes import parse_type
from tests.judge.canon import from_ours, from_trino, same_type
from tests.support.trino import Answer, Trino

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BATCH = 40
_QUERY = re.compile(r"(?:[(\s]|--[^\n]*\n)*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE)
_REFUSED = "by the local engine"
DATABASE = "db"


class Case(NamedTuple):
    """A query; `source` is what a bare expression is read from, `ordered` tells of ORDER BY."""

    family: str
    sql: str
    source: str = ""
    ordered: bool = False

    def query(self) -> str:
        """Write the whole query."""
        return f"SELECT {self.sql} {self.source}".strip() if self.is_expression() else self.sql

    def is_expression(self) -> bool:
        """Tell whether it is only an expression, which can be asked together with others."""
        return _QUERY.match(self.sql) is None


class Word(enum.Enum):
    """How the two engines compare."""

    SAME = "same"
    BOTH_FAILED = "both failed"
    REFUSED = "refused by name"
    OURS_FAILED = "ours failed"
    TRINO_FAILED = "only Trino failed"
    TYPES = "other types"
    ROWS = "other rows"


class Verdict(NamedTuple):
    """A case, how it went, and both sides where they differ."""

    case: Case
    word: Word
    trino: str = ""
    ours: str = ""


def judge(trino: Trino, athena: LocalAthena, cases: Sequence[Case]) -> Iterator[Verdict]:
    """Ask both engines and compare; Trino is asked many expressions at once."""
    for case, answer in ask(trino, cases):
        yield compare(case, answer, athena)


def ask(trino: Trino, cases: Sequence[Case]) -> Iterator[tuple[Case, Answer]]:
    """Give Trino's answer to each case."""
    expressions: dict[str, list[Case]] = {}
    for case in cases:
        if case.is_expression():
            expressions.setdefault(case.source, []).append(case)
        else:
            yield case, trino.query(case.query())
    for source, group in expressions.items():
        for start in range(0, len(group), _BATCH):
            yield from _together(trino, group[start : start + _BATCH], source)


def _together(trino: Trino, group: list[Case], source: str) -> Iterator[tuple[Case, Answer]]:
    """Ask a group in one query, by halves if something in it fails."""
    listed = ", ".join(case.sql for case in group)
    found = trino.query(f"SELECT {listed} {source}")
    if not found.error:
        for place, case in enumerate(group):
            yield case, Answer((found.types[place],), tuple((row[place],) for row in found.rows))
    elif len(group) == 1:
        yield group[0], found
    else:
        middle = len(group) // 2
        yield from _together(trino, group[:middle], source)
        yield from _together(trino, group[middle:], source)


def compare(  # noqa: PLR0911 - one return a verdict
    case: Case, answer: Answer, athena: LocalAthena, database: str = DATABASE
) -> Verdict:
    """Ask the local Athena and compare."""
    told = f"{answer.error}: {answer.message}" if answer.error else ""
    try:
        found = athena.query(case.query(), database)
    except AthenaFailure as failure:
        word = Word.REFUSED if _REFUSED in failure.reason else Word.OURS_FAILED
        if answer.error and word is Word.OURS_FAILED:
            return Verdict(case, Word.BOTH_FAILED, told, failure.reason)
        shown = told or _shown(answer.types, _rows(_trino(answer), case))
        return Verdict(case, word, shown, failure.reason)
    except Exception as error:  # noqa: BLE001 - a crash of ours is what is looked for
        return Verdict(case, Word.OURS_FAILED, told, repr(error))
    types = [kind for _, kind in found.columns]
    kinds = [parse_type(kind) for kind in types]
    rows = [tuple(map(from_ours, row, kinds)) for row in found.rows]
    ours = _rows(rows, case)
    if answer.error:
        return Verdict(case, Word.TRINO_FAILED, told, _shown(types, ours))
    theirs = _rows(_trino(answer), case)
    sides = (_shown(answer.types, theirs), _shown(types, ours))
    if theirs != ours:
        return Verdict(case, Word.ROWS, *sides)
    if len(types) != len(answer.types) or not all(map(same_type, answer.types, types)):
        return Verdict(case, Word.TYPES, *sides)
    return Verdict(case, Word.SAME)


def _trino(answer: Answer) -> list[tuple[object, ...]]:
    kinds = [parse_type(kind) for kind in answer.types]
    return [tuple(map(from_trino, row, kinds)) for row in answer.rows]


def _rows(rows: Iterable[tuple[object, ...]], case: Case) -> list[tuple[object, ...]]:
    return list(rows) if case.ordered or case.source else sorted(rows, key=repr)


def _shown(types: Sequence[str], rows: Sequence[tuple[object, ...]]) -> str:
    listed = "; ".join(repr(row[0] if len(row) == 1 else row) for row in rows[:30])
    return f"{', '.join(types)} | {listed}"


def count(verdicts: Iterable[Verdict]) -> str:
    """Say how many went how."""
    found = Counter(verdict.word.value for verdict in verdicts)
    return ", ".join(f"{number} {word}" for word, number in found.most_common())
