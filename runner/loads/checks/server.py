"""`leftovers`, `rows`, `privileges`: what the server holds, counts and allows."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from runner.loads.checks.case import BOTH, LEDGER, Check, Said
from runner.loads.checks.shape import is_rebuilt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.loads.checks.case import LoadCase

_LEFTOVER = re.compile(
    r"_[0-9a-f]{8,16}_embulk([0-9]{3,})?\Z|\A[0-9a-f]{16}_embulk_swap_tmp\Z|"
    r"\A_runner_(new|old)_[0-9a-f]{16}\Z"
)
_OLD = dt.timedelta(days=1)
_SHOWN = 10
_EVERYTHING = "ALL PRIVILEGES"


def is_leftover(name: str) -> bool:
    """Tell whether a table has a name that only a load gives, while it runs.

    >>> is_leftover("carrier_day_0000018f6c1a2b3c_embulk000"), is_leftover("carrier_day")
    (True, False)
    """
    return bool(_LEFTOVER.search(name))


def _find_leftovers(case: LoadCase) -> Iterator[Said]:
    now = case.server.now
    old = [one for one in case.server.leftovers if now is not None and now - one.created > _OLD]
    if old:
        names = sorted(one.name for one in old)
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        drop = ", ".join(map(case.quoted, names[:_SHOWN]))
        yield Said(
            "Load.Leftovers",
            f"{len(names)} tables of loads that were killed lie in {case.server.database}: "
            f"{', '.join(names[:_SHOWN])}{more}",
            f"DROP TABLE {drop}",
            "warning",
        )


def _find_rows(case: LoadCase) -> Iterator[Said]:
    manifest, facts = case.manifest, case.facts
    if facts is not None and manifest.rows is not None and facts.rows != manifest.rows:
        yield Said(
            "Load.RowsDiffer",
            f"{manifest.key.table}: its files hold {facts.rows} rows, its records say "
            f"{manifest.rows}",
            "run the table again",
        )
    counted = case.counted
    rows = facts.rows if facts is not None else manifest.rows
    if counted is None or rows is None:
        return
    expected = _expected(case, rows)
    if expected is not None and not expected[0] <= counted.after <= expected[1]:
        least, most = expected
        wanted = str(least) if least == most else f"{least} to {most}"
        where = "the load's window in" if manifest.window is not None else ""
        yield Said(
            "Load.NotReconciled",
            f"{where} {case.name} has {counted.after} rows after the load, which brought {rows}; "
            f"{wanted} were expected".lstrip(),
            "look for another writer of the table, and load again",
        )


def _expected(case: LoadCase, rows: int) -> tuple[int, int] | None:
    """Give the least and most rows there may be after the load."""
    before = case.counted.before if case.counted is not None else None
    if case.merges:
        return None if before is None else (max(before, rows), before + rows)
    if case.manifest.mode in ("insert", "insert_direct"):
        return None if before is None else (before + rows, before + rows)
    return rows, rows


def _find_privileges(case: LoadCase) -> Iterator[Said]:
    had = case.server.privileges
    if had is None or case.lite or _EVERYTHING in had:
        return
    lacking = sorted(needed(case) - had)
    if lacking:
        yield Said(
            "Load.MartDenied",
            f"the mart's user lacks {', '.join(lacking)} on {case.server.database}",
            f"GRANT {', '.join(lacking)} ON {case.quoted(case.server.database)}.* TO the user",
        )


def needed(case: LoadCase) -> frozenset[str]:
    """Name what the user must be allowed to do with the schema."""
    wants = {"SELECT", "INSERT"}
    if case.merges:
        wants.add("UPDATE")
    if case.manifest.mode in ("replace", "truncate_insert", "replace_window"):
        wants.add("DELETE")
    if case.engine == "embulk":
        wants |= {"CREATE", "DROP"}
        if case.manifest.mode == "replace":
            wants.add("ALTER")
    else:
        wants.add("CREATE TEMPORARY TABLES")
        if is_rebuilt(case):
            wants |= {"CREATE", "DROP", "ALTER"}
    if case.table is None or LEDGER not in case.server.tables:
        wants.add("CREATE")
    return frozenset(wants)


LEFTOVERS = Check(
    "leftovers",
    "A killed load leaves tables behind, which nothing ever removes.",
    BOTH,
    ("shapes",),
    _find_leftovers,
)
ROWS = Check(
    "rows",
    "Lake and mart must agree in how many rows there are; Embulk does not count them.",
    BOTH,
    ("facts", "counts"),
    _find_rows,
)
PRIVILEGES = Check(
    "privileges",
    "A right that is missing fails a load halfway.",
    BOTH,
    ("shapes",),
    _find_privileges,
)
