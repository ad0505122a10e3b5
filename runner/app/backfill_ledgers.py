"""What the records of a lake say of tables, as the planner wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.keeper import rows as lake
from runner.plan.facts import inputs_of
from runner.plan.ledgers import make_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.keeper.storage import Storage
    from runner.plan.facts import Ledger, Node


def looked_at(nodes: Mapping[str, Node], chosen: Iterable[str]) -> set[str]:
    """Name the tables whose records matter: the chosen ones and all that they read."""
    found = set(chosen)
    for name in tuple(found):
        found |= {one.table for one in inputs_of(nodes[name], nodes)}
    return found


def read_ledgers(
    storage: Storage, nodes: Mapping[str, Node], wanted: Iterable[str]
) -> dict[str, Ledger]:
    """Read what counts for each table, by one LIST."""
    physical = {nodes[name].physical: name for name in wanted}
    return {
        physical[table]: make_ledger(
            nodes[physical[table]].grain,
            rows.published,
            rows.begun,
            rows.failed,
            packs=rows.packs,
        )
        for table, rows in lake.rows(storage, physical)
    }
