"""What the data commands need of an environment on AWS: S3, Glue, and Step Functions' word on runs.

In: a project's folder and an environment of engine aws.  Out: `Remote`, a `Places`.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.cloud import open_cloud
from runner.app.inspect import run_name
from runner.app.places import table_locations
from runner.aws.executions import Executions
from runner.aws.refusals import refusals
from runner.keeper import records
from runner.keeper.catalog import Catalog
from runner.keeper.storage import Storage
from runner.model.names import BACKFILL, deployed_name
from runner.plan.links import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.app.cloud import Cloud
    from runner.keeper.records import Entry

GRACE_S = 900.0
"""Longest life of a call of the keeper: what Lambda allows a function."""
COMMAND = "runner"
"""In the machine's name of a command that holds a lease: `<prefix>-runner-<verb>`.

No workflow's machine is called so: names of workflows have no hyphen, and what a workflow's own
machines have behind one ends in numbers.  So Step Functions never knows such an execution, and a
lease of it lasts for as long as its holder renews it, and `GRACE_S` after.
"""
_REFUSED = ". Nothing was published"
"""What the keeper says when it refuses staged rows."""
_SUFFIX_BYTES = 3
_MOST_RUNS = 1000


@dataclass(frozen=True, slots=True)
class Remote:
    """The parts of an environment on AWS."""

    cloud: Cloud
    now: Callable[[], datetime]

    @property
    def root(self) -> Path:
        """Give the project's folder."""
        return self.cloud.root

    @property
    def bundle(self) -> Bundle:
        """Give the compiled project."""
        return self.cloud.bundle

    @property
    def lake(self) -> str:
        """Give the lake's URI."""
        return str(self.cloud.environment["lake"])

    @property
    def execution_prefix(self) -> str:
        """Give what ARNs of executions begin with, up to the name of the machine."""
        environment = self.cloud.environment
        return f"arn:aws:states:{environment['region']}:{environment['account']}:execution:"

    @property
    def grace_s(self) -> float:
        """Give the longest life of a call that an ended execution may have left at work."""
        return GRACE_S

    def machine(self, name: str) -> str:
        """Name the machine of a workflow where it is deployed."""
        return deployed_name(self.bundle.prefix, name)

    def execution_arn(self, machine: str, name: str) -> str:
        """Give the ARN of an execution of `<prefix>-<machine>`."""
        return f"{self.execution_prefix}{deployed_name(self.bundle.prefix, machine)}:{name}"

    def storage(self) -> Storage:
        """Open the lake as the keeper sees it."""
        return self.cloud.storage()

    def objects(self, location: str) -> Storage:
        """Open any other place in S3."""
        return Storage(self.cloud.session.client("s3"), location)

    @contextmanager
    def catalog_open(self) -> Iterator[Catalog]:
        """Open the catalogue as the keeper sees it."""
        yield Catalog(self.cloud.session.client("glue"))

    def locations(self) -> Mapping[str, str]:
        """Give where the catalogue says that each table of the project's databases is."""
        with self.catalog_open() as catalog:
            return dict(table_locations(catalog, self.bundle.databases))

    @property
    def executions(self) -> Executions:
        """Open Step Functions."""
        found = self.cloud.environment
        return Executions(self.cloud.session, Console(found["region"], found["account"]))

    def is_running(self, execution: str) -> bool:
        """Tell whether an execution is running, by its ARN; one that is forgotten is not."""
        return self.executions.status(execution) == "RUNNING"

    def backfill_runs(self, name: str) -> tuple[tuple[str, str], ...]:
        """Give the runs of a backfill, the oldest first: name and status of each.

        They are numbered, so that asking for the next one ends where none is.  Step Functions
        forgets them after 90 days; then there are none, and their names are free again.
        """
        found = []
        for number in range(1, _MOST_RUNS):
            run = f"{BACKFILL}-{name}-{number}"
            status = self.executions.status(self.execution_arn(BACKFILL, run))
            if not status:
                break
            found.append((run, status))
        return tuple(found)

    def stopped(self, table: str, since: Entry | None) -> str:
        """Say what the tests of `database.table` stopped after that record, as its records tell."""
        storage = self.storage()
        physical = next(
            f"{one.database}.{one.name.partition('.')[2]}"
            for one in self.bundle.tables
            if one.name == table
        )
        for entry in reversed(records.history(storage, physical)):
            if since is not None and entry.at <= since.at:
                break
            if entry.state != records.FAILED:
                continue
            message, refused, _ = str(records.read(storage, entry)["message"]).partition(_REFUSED)
            if refused:
                return f"{run_name(entry.run)}: {message}"
        return ""

    @contextmanager
    def working(self, verb: str, table: str) -> Iterator[str]:
        """Give the ARN that owns a command's leases; Step Functions does not know it."""
        del table
        name = f"{self.now():%Y%m%dT%H%M%S}-{secrets.token_hex(_SUFFIX_BYTES)}"
        yield self.execution_arn(f"{COMMAND}-{verb}", name)

    def refusals(self, doing: str) -> AbstractContextManager[object]:
        """Say in plain words what AWS refuses meanwhile."""
        return refusals(doing)


def open_remote(bundle: Bundle, root: Path, *, now: Callable[[], datetime]) -> Remote:
    """Open the environment on AWS of a bundle; CloudRefused when AWS or the account refuses."""
    return Remote(open_cloud(root, bundle.environment_name, written=bundle), now)
