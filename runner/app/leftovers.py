"""Tables that this project made and whose files are gone: "no longer in the project"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.places import open_environment
from runner.keeper import packs, records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Leftover:
    """A table with records and without a SQL file."""

    name: str
    """As the project named it: `database.table`."""
    physical: str
    last_published: str
    """When it was last published (ISO 8601); empty if it never was."""
    periods: int
    """Published periods; 1 for a table without time partitions."""


def leftovers(
    root: Path, *, environment: str = "local", variables: Mapping[str, str] | None = None
) -> tuple[Leftover, ...]:
    """List tables that records tell of and that no file of the project defines."""
    places = open_environment(root, environment, variables, now=lambda: datetime.now(UTC))
    bundle, storage = places.bundle, places.storage()
    known = {physical_name(bundle, table.name) for table in bundle.tables}
    result = []
    for physical, found in sorted(records.everything(storage).items()):
        if physical in known:
            continue
        published = [entry for entry in found if entry.published]
        grain = packs.grain_of(published[-1]) if published else None
        latest = records.newest(found, grain).values()
        result.append(
            Leftover(
                name=logical_name(bundle, physical),
                physical=physical,
                last_published=records.moment(published[-1].at).isoformat() if published else "",
                periods=sum(entry.published for entry in latest),
            )
        )
    return tuple(result)


def physical_name(bundle: Bundle, name: str) -> str:
    """Give the name in the catalogue of `database.table`."""
    database, _, table = name.partition(".")
    return f"{database}{bundle.environment['database_suffix']}.{table}"


def logical_name(bundle: Bundle, physical: str) -> str:
    """Give the project's name of a table in the catalogue."""
    database, _, table = physical.partition(".")
    return f"{database.removesuffix(bundle.environment['database_suffix'])}.{table}"
