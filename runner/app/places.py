"""What the data commands need of an environment, on this machine or on AWS: one seam for both.

In: a project's folder and the name of an environment.  Out: its `Places`: the lake, the catalogue,
who is at work there.  What runs things is not here: a run, a load and a query differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from runner.app.bundle import open_bundle
from runner.app.local_places import Local, open_places
from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.keeper.catalog import Catalog
    from runner.keeper.records import Entry
    from runner.keeper.storage import Storage


class Places(Protocol):
    """The lake and the catalogue of an environment, and who is at work there."""

    @property
    def root(self) -> Path:
        """Give the project's folder."""
        ...

    @property
    def bundle(self) -> Bundle:
        """Give the compiled project."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """Give the clock."""
        ...

    @property
    def lake(self) -> str:
        """Give the lake's URI."""
        ...

    @property
    def execution_prefix(self) -> str:
        """Give what ARNs of executions begin with, up to the name of the machine."""
        ...

    @property
    def grace_s(self) -> float:
        """Give the longest life of a call that an ended execution may have left at work."""
        ...

    def storage(self) -> Storage:
        """Open the lake as the keeper sees it."""
        ...

    def objects(self, location: str) -> Storage:
        """Open any other place in S3."""
        ...

    def catalog_open(self) -> AbstractContextManager[Catalog]:
        """Open the catalogue as the keeper sees it."""
        ...

    def locations(self) -> Mapping[str, str]:
        """Give where the catalogue says that each table of the project's databases is."""
        ...

    def is_running(self, execution: str) -> bool:
        """Tell whether an execution, or a command that holds a lease, is at work, by its ARN."""
        ...

    def backfill_runs(self, name: str) -> tuple[tuple[str, str], ...]:
        """Give the runs of a backfill, the oldest first: name and status of each."""
        ...

    def stopped(self, table: str, since: Entry | None) -> str:
        """Say what the tests of `database.table` stopped after that record; empty for nothing."""
        ...

    def working(self, verb: str, table: str) -> AbstractContextManager[str]:
        """Be known as a command that changes a table meanwhile; gives the ARN that owns leases."""
        ...

    def refusals(self, doing: str) -> AbstractContextManager[object]:
        """Say in plain words what AWS refuses meanwhile; `doing` is like "read the records"."""
        ...


def open_environment(
    root: Path,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    *,
    now: Callable[[], datetime],
) -> Places:
    """Open an environment of either kind.

    Raises ProjectError for faults of the project, CloudRefused when AWS refuses or the account is
    another than config.yaml says.
    """
    bundle = open_bundle(root, environment, variables)
    if bundle.environment["engine"] == "local":
        return open_places(root, bundle, now=now)
    from runner.app.remote_places import open_remote  # noqa: PLC0415 - boto3 loads there

    return open_remote(bundle, root, now=now)


def is_on_aws(root: Path, environment: str) -> bool:
    """Tell whether an environment of config.yaml is on AWS; ProjectError for faults of files."""
    return bool(open_bundle(root, environment).environment["engine"] == "aws")


def table_locations(catalog: Catalog, databases: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Give the location of every table of some databases, by `database.table`."""
    from runner.keeper.catalog import location_of  # noqa: PLC0415 - only for sizes

    for database in databases:
        for table in catalog.tables(database):
            yield f"{database}.{table['Name']}", location_of(table)


def is_protected(root: Path, environment: str) -> bool:
    """Tell whether an environment says `protected: true`."""
    return bool(open_bundle(root, environment).environment.get("protected"))


def refuse_unconfirmed(places: Places, confirm: str | None) -> None:
    """Raise UsageError for a protected environment, unless its name was typed.

    A name that is given must be the environment's, protected or not.
    """
    name = places.bundle.environment_name
    if confirm == name or (confirm is None and not places.bundle.environment.get("protected")):
        return
    found = f"--confirm {confirm}" if confirm is not None else "no --confirm for what is protected"
    expected, advice = f"the environment's name, {name}", f"say --confirm {name}"
    raise UsageError([Fault(Place("--confirm"), "not-confirmed", found, expected, advice)])


def is_local(places: Places) -> bool:
    """Tell whether an environment is on this machine."""
    return isinstance(places, Local)
