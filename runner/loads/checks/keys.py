"""`merge-key` and `unique-rows`: rows are named by the header's keys, in the mart and in the files.

ON DUPLICATE KEY UPDATE takes no keys: it acts on whatever unique keys the table has.  Without one
a merge appends; with a second one it may update another row than the one meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.loads.checks.case import BOTH, Check, Said
from runner.loads.checks.shape import target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.loads.checks.case import LoadCase
    from runner.loads.shapes import MartTable, UniqueKey


def _find_key(case: LoadCase) -> Iterator[Said]:
    table = case.table
    if not case.merges or table is None:
        return
    own = [key for key in table.unique_keys if _is_key(case, key)]
    others = [key.name for key in table.unique_keys if not _is_key(case, key)]
    if not own:
        yield _no_key(case, table)
        return
    if others and not case.lite:
        yield Said(
            "Load.SecondUniqueKey",
            f"{table.name} has another unique key beside ({case.keys}): "
            f"{', '.join(sorted(others))}; a merge could update the row that this one finds",
            "drop it, or load with mode: replace_window",
        )
    columns = [table.column(name) for name in case.manifest.keys]
    nullable = [one.name for one in columns if one is not None and one.nullable]
    if nullable:
        yield Said(
            "Load.NullableKey",
            f"key {', '.join(nullable)} of {table.name} may be NULL, and a row with a NULL in its "
            "key is never found again: every merge would append it",
            "make the key's columns NOT NULL",
            "warning",
        )


def _is_key(case: LoadCase, key: UniqueKey) -> bool:
    wanted = {name.lower() for name in case.manifest.keys}
    return not key.partial and {name.lower() for name in key.columns} == wanted


def _no_key(case: LoadCase, table: MartTable) -> Said:
    there = "; ".join(f"{key.name} ({', '.join(key.columns)})" for key in table.unique_keys)
    found = f"; it has {there}" if there else ""
    quoted = case.quoted(table.name)
    create = (
        f"CREATE UNIQUE INDEX {case.quoted(f'{table.name}_keys')} ON {quoted}"
        if case.lite
        else f"ALTER TABLE {quoted} ADD UNIQUE"
    )
    return Said(
        "Load.NoUniqueKey",
        f"{table.name} has no primary or unique key on ({case.keys}), so a merge would append "
        f"rows{found}",
        f"create one: {create} ({case.quoted_keys()})",
    )


def _find_rows(case: LoadCase) -> Iterator[Said]:
    facts = case.facts
    if facts is None or not case.manifest.keys or not _counts(case):
        return
    if facts.null_keys or facts.repeated_keys:
        yield Said(
            "Load.KeysNotUnique",
            f"{case.manifest.key.table}: the keys ({case.keys}) do not name one row: "
            f"{facts.null_keys} rows have a NULL key, "
            f"{facts.repeated_keys} rows repeat another's key",
            "add a `unique` test on the keys, or choose keys that are",
        )


def _counts(case: LoadCase) -> bool:
    """Tell whether the mart enforces the keys: by the mode, or by a key of the table."""
    return case.merges or any(_is_key(case, key) for key in target(case).unique_keys)


MERGE_KEY = Check(
    "merge-key",
    "A merge finds rows by the mart's unique keys: there must be one on the header's keys, and "
    "no other.",
    BOTH,
    ("shapes",),
    _find_key,
)
UNIQUE_ROWS = Check(
    "unique-rows",
    "Of two rows with the same key one would win by chance; one with a NULL key is never found.",
    BOTH,
    ("facts",),
    _find_rows,
)
