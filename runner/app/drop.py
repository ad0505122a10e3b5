"""`drop`: remove a table of the project from an environment (SEMANTICS 30).

In: a table's name.  Out: a `Dropping`, all that would go, which removes nothing; `drop` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.gc import open_world
from runner.app.leftovers import leftovers, physical_name
from runner.app.places import open_environment, refuse_unconfirmed
from runner.app.tenure import busy, holding
from runner.errors import Fault, Place, RunFailed, UsageError
from runner.keeper import dropping
from runner.keeper.spec import run_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.app.places import Places


@dataclass(frozen=True, slots=True)
class Dropping:
    """What dropping a table removes."""

    table: str
    physical: str
    in_catalogue: bool
    data: bool
    """Whether files and records go as well."""
    prefixes: tuple[tuple[str, int, int], ...]
    """Prefix, objects and bytes that go."""
    records: int
    """Records that go."""
    staged: int
    """Stage tables and staged files that go."""
    kept: tuple[str, ...]
    """Prefixes that stay because other tables use them."""
    warnings: tuple[str, ...]


def plan_drop(
    root: Path,
    table: str,
    *,
    data: bool,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
) -> Dropping:
    """Say what dropping a table would remove; faults when it may not be dropped."""
    places = _open(root, environment, variables)
    bundle = places.bundle
    physical = _physical(bundle, table)
    with places.refusals(f"look at {table}"):
        with open_world(places) as world:
            estate = dropping.survey(world, physical)
        _refuse(places, table, estate, data=data)
    if estate.entry is None and not estate.history.keys and not estate.stages:
        raise _unknown(root, bundle, table, environment)
    return _shown(bundle, table, estate, data=data)


def drop(
    root: Path,
    table: str,
    *,
    data: bool,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    confirm: str | None = None,
) -> Dropping:
    """Drop a table, holding its lease; gives what went.

    `confirm` is the environment's name, which a protected one wants; UsageError otherwise.
    """
    places = _open(root, environment, variables)
    bundle = places.bundle
    refuse_unconfirmed(places, confirm)
    physical = _physical(bundle, table)
    with (
        places.refusals(f"drop {table}"),
        holding(places, physical, verb="drop") as owner,
        open_world(places) as world,
    ):
        estate = dropping.survey(world, physical)
        _refuse(places, table, estate, data=data, held=True)
        run = f"{run_name(owner.execution)}.0.1"
        dropping.remove(world, estate, owner, run=run, data=data)
    return _shown(bundle, table, estate, data=data)


def _open(root: Path, environment: str, variables: Mapping[str, str] | None) -> Places:
    return open_environment(root, environment, variables, now=lambda: datetime.now(UTC))


def _physical(bundle: Bundle, table: str) -> str:
    from runner.model.names import TableName  # noqa: PLC0415 - only when asked

    try:
        name = TableName.parse(table)
    except ValueError as error:
        advice = "see `runner list` and `runner status`"
        fault = Fault(Place("TABLE"), "unknown-table", str(error), "database.table", advice)
        raise UsageError([fault]) from error
    return physical_name(bundle, str(name))


def _refuse(
    places: Places, table: str, estate: dropping.Estate, *, data: bool, held: bool = False
) -> None:
    with open_world(places) as world:
        held_by_other = not held and world.is_held(estate.table)
    if held_by_other or estate.running:
        found = dropping.refusal(estate, project=places.bundle.project, data=data)
        raise busy(table, found or "a run holds its lease: see `runner status`")
    found = dropping.refusal(estate, project=places.bundle.project, data=data)
    if found:
        iceberg = "Iceberg" in found
        raise RunFailed(
            [
                Fault(
                    Place(table),
                    "not-droppable",
                    found,
                    "--data with an Iceberg table" if iceberg else "a table of this project",
                    "say --data to delete its data too"
                    if iceberg
                    else "drop it where it was made, or take it over with `runner adopt`",
                )
            ]
        )


def _unknown(root: Path, bundle: Bundle, table: str, environment: str) -> UsageError:
    from runner.model.nearest import suggestion  # noqa: PLC0415 - difflib, only for a mistake

    names = [one.name for one in bundle.tables]
    names += [one.name for one in leftovers(root, environment=environment)]
    found = f"{table}, of which there is neither a table nor a record in {environment}"
    advice = suggestion(table, names, otherwise="see `runner list` and `runner status`")
    fault = Fault(Place("TABLE"), "unknown-table", found, "a table that was published", advice)
    return UsageError([fault])


def _shown(bundle: Bundle, table: str, estate: dropping.Estate, *, data: bool) -> Dropping:
    data_prefixes = tuple(
        (prefix, len(objects), sum(one.size for one in objects))
        for prefix, objects in estate.data.items()
        if objects
    )
    return Dropping(
        table=table,
        physical=estate.table,
        in_catalogue=estate.entry is not None,
        data=data,
        prefixes=data_prefixes if data else (),
        records=len(estate.history.kept) + len(estate.history.due) if data else 0,
        staged=len(estate.stages) + len(estate.stage_tables) if data else 0,
        kept=estate.shared if data else (),
        warnings=tuple(_warnings(bundle, table, data=data)),
    )


def _warnings(bundle: Bundle, table: str, *, data: bool) -> list[str]:
    facts = next((one for one in bundle.tables if one.name == table), None)
    readers = [one.name for one in bundle.tables if table in one.reads and one.name != table]
    lines = []
    if facts is not None:
        lines.append(f"{facts.file} is still there: the next run makes the table again")
    if readers:
        lines.append(f"these tables of the project read it: {', '.join(readers)}")
    if facts is not None and facts.load_mart:
        lines.append(f"the mart {facts.load_mart} keeps its table {facts.load_table}")
    if not data:
        lines.append("files and records stay; --data removes them too")
    return lines
