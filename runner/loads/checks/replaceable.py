"""`replaceable`: what the mode does to the mart's table can be done, and undone.

A load promises the old rows or the new ones, never a mixture.  A table of an engine without
transactions breaks that promise, and so does a statement that commits; a replaced table loses
what hangs on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.loads.checks.case import BOTH, DIRECT, REFUSED, Check, Said
from runner.loads.checks.shape import is_rebuilt
from runner.model.martsql import commits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.loads.checks.case import LoadCase
    from runner.loads.shapes import MartTable

_TRANSACTIONAL = ("", "innodb", "rocksdb", "tokudb", "ndbcluster", "ndb")
_INSTEAD = "load with mode: truncate_insert, which keeps the table"


def _find(case: LoadCase) -> Iterator[Said]:
    yield from _unsafe_engine(case)
    yield from _committing(case)
    if case.engine == "embulk":
        yield from _of_embulk(case)
    if case.table is not None and is_rebuilt(case):
        yield from _hanging(case, case.table)


def _unsafe_engine(case: LoadCase) -> Iterator[Said]:
    table = case.table
    direct = case.engine == "embulk" and case.manifest.mode in DIRECT
    if table is not None and not direct and table.engine.lower() not in _TRANSACTIONAL:
        yield Said(
            REFUSED,
            f"{table.name} is a {table.engine} table, which cannot be rolled back: a load that "
            "breaks off would leave part of the rows",
            f"ALTER TABLE {case.quoted(table.name)} ENGINE=InnoDB",
        )


def _committing(case: LoadCase) -> Iterator[Said]:
    for name, text in (("before", case.manifest.before), ("after", case.manifest.after)):
        if text and not case.lite and commits(text):
            yield Said(
                REFUSED,
                f"{name}: `{_first_words(text)}` commits what the load has done so far, so a load "
                "that breaks off could not be rolled back",
                "use a statement that takes part in transactions, or run it outside of the load",
            )


def _first_words(text: str) -> str:
    return " ".join(text.split()[:4])


def _of_embulk(case: LoadCase) -> Iterator[Said]:
    mode = case.manifest.mode
    if case.manifest.before is not None and mode in ("replace", "replace_window"):
        why = (
            "Embulk's mode replace takes none"
            if mode == "replace"
            else "its place is taken by the DELETE of the window"
        )
        yield Said(
            REFUSED,
            f"before: with mode: {mode} {why}",
            "remove `before`, or write engine: native",
        )
    if mode in DIRECT:
        again = "doubles" if mode == "insert_direct" else "merges again"
        yield Said(
            "Load.NotAtomic",
            f"mode: {mode} writes {case.name} without a transaction: a load that breaks off leaves "
            f"part of the rows, and its repeat {again} them",
            "load with mode: merge or replace_window",
            "warning",
        )


def _hanging(case: LoadCase, table: MartTable) -> Iterator[Said]:
    """Find what would stay with the old table and vanish."""
    hanging = {*table.triggers}
    if not case.lite:
        hanging |= {*table.referenced_by}
    if case.engine == "embulk":
        hanging |= {*table.foreign_keys}
    if hanging:
        yield Said(
            REFUSED,
            f"{table.name} cannot be replaced by a new table: {', '.join(sorted(hanging))} "
            "depend on it",
            f"drop them first, alter the table by hand, or {_INSTEAD}",
        )
    if case.engine == "embulk":
        yield from _lost(case, table)


def _lost(case: LoadCase, table: MartTable) -> Iterator[Said]:
    """Find what Embulk's new table would not have."""
    keys = {name.lower() for name in case.manifest.keys}
    lost = [
        f"unique key {key.name}"
        for key in table.unique_keys
        if {name.lower() for name in key.columns} != keys
    ]
    loaded = {column.name.lower() for column in case.manifest.all_columns}
    lost += [f"column {one.name}" for one in table.columns if one.name.lower() not in loaded]
    if lost:
        yield Said(
            REFUSED,
            f"Embulk's mode replace makes {table.name} anew, without its {', '.join(lost)}",
            f"{_INSTEAD}; or drop them yourself",
        )
    else:
        yield Said(
            "Load.Replaced",
            f"Embulk's mode replace makes {table.name} anew: its indexes, defaults and comments go",
            _INSTEAD,
            "warning",
        )
    if table.views:
        yield Said(
            "Load.Replaced",
            f"{table.name} is read by {', '.join(table.views)}; they will read the new table, and "
            "fail if a column of theirs is gone",
            "look at the views after the load",
            "warning",
        )


REPLACEABLE = Check(
    "replaceable",
    "A load that breaks off must leave the old rows, and a replaced table loses what hangs on it.",
    BOTH,
    ("shapes",),
    _find,
)
