"""What a local environment consists of: folders, the catalogue, the services, the marts.

In: a bundle and the project's folder.  Out: `Local`, which opens parts when they are asked for.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import runner
from runner.errors import Fault, Place, UsageError
from runner.keeper.storage import Storage
from runner.model.names import STAGE_SUFFIX

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from runner.app.bundle import Bundle
    from runner.local.athena import LocalAthena
    from runner.local.glue import GlueCatalog
    from runner.local.runs import Run, RunRegistry
    from runner.local.s3 import FolderS3
    from runner.local.services import LocalServices
    from runner.model.config import LocalEnvironment, MysqlMart

_TICK_S = 0.2
_GLUE = "arn:aws:states:::aws-sdk:glue:"


class WallClock:
    """Real time, for the interpreter."""

    def now(self) -> datetime:
        """Give the present instant in UTC."""
        return datetime.now(UTC)

    def wait(self, until: datetime | None, arrived: threading.Event, *, busy: bool) -> None:
        """Wait for an answer or an instant, a few times a second at least."""
        pause = _TICK_S
        if until is not None:
            pause = min(pause, max(0.0, (until - self.now()).total_seconds()))
        if busy:
            arrived.wait(pause)
        else:
            time.sleep(pause)


@dataclass(frozen=True, slots=True)
class Local:
    """The parts of a local environment."""

    root: Path
    bundle: Bundle
    environment: LocalEnvironment
    runs: RunRegistry
    now: Callable[[], datetime]

    @property
    def clock(self) -> WallClock:
        """Give the interpreter's clock."""
        return WallClock()

    @property
    def state(self) -> Path:
        """Give the folder of this environment's state."""
        return self.root / self.environment.state

    def s3(self) -> FolderS3:
        """Open the folder that stands for S3."""
        from runner.local.services import open_s3  # noqa: PLC0415 - only when used

        return open_s3(self.root, self.environment)

    def storage(self) -> Storage:
        """Open the lake for the keeper; one worker, since a folder gains nothing by threads."""
        return Storage(self.s3(), self.environment.lake, workers=1, moves=True)

    def put_assets(self, assets: Mapping[str, str]) -> None:
        """Put what machines read at run time into the lake; keys are named by the contents."""
        if not assets:
            return
        from runner.keeper.storage import split_uri  # noqa: PLC0415 - only with long texts

        s3 = self.s3()
        bucket, prefix = split_uri(self.environment.lake)
        for key, text in assets.items():
            s3.put_object(Bucket=bucket, Key=f"{prefix}{key}", Body=text)

    @property
    def commands(self) -> RunRegistry:
        """Give the registry of commands that change tables; they hold leases as runs do."""
        from runner.local.runs import RunRegistry  # noqa: PLC0415 - only when asked

        return RunRegistry(self.state / "commands", now=self.now)

    def is_running(self, execution: str) -> bool:
        """Tell whether a run, or a command that holds a lease, is at work, by its ARN."""
        from runner.local.runs import ExecutionDoesNotExist  # noqa: PLC0415 - only when asked

        for registry in (self.runs, self.commands):
            with suppress(ExecutionDoesNotExist):
                found = registry.describe_execution(executionArn=execution)
                return bool(found["status"] == "RUNNING")
        return False

    def services(self, *, keeper: Callable[[dict[str, Any], object], Any]) -> LocalServices:
        """Open every local service."""
        from runner.local.services import (  # noqa: PLC0415 - only for a run
            LocalNames,
            find_functions,
            open_local,
        )

        bundled = Path(runner.__file__).parent / "functions"
        prefix = self.bundle.prefix
        return open_local(
            self.root,
            self.environment,
            names=LocalNames(prefix, find_functions(self.root, prefix=prefix, bundled=bundled)),
            keeper=keeper,
            open_athena=self.athena,
            environ=os.environ,
            now=self.now,
        )

    def catalog(self) -> GlueCatalog:
        """Open the catalogue."""
        from runner.local.glue import GlueCatalog  # noqa: PLC0415 - only when used

        self.state.mkdir(parents=True, exist_ok=True)
        return GlueCatalog(self.state / "catalog.sqlite")

    def athena(self, s3: FolderS3, catalog: GlueCatalog) -> LocalAthena:
        """Open the local Athena on a catalogue that has this project's databases."""
        from runner.local.athena import LocalAthena  # noqa: PLC0415 - DuckDB loads here

        return LocalAthena(
            s3,
            catalog,
            self.state / "athena.sqlite",
            results=self.environment.results,
            cache=self.root / ".runner" / "cache" / "sql",
            now=self.now,
        )

    def make_databases(self, services: LocalServices) -> None:
        """Make the project's databases and their stage databases, as the stack does on AWS."""
        found = services.do(f"{_GLUE}getDatabases", {})
        have = {one["Name"] for one in found["DatabaseList"]}
        for name in self.bundle.databases:
            for database in (name, f"{name}{STAGE_SUFFIX}"):
                if database not in have:
                    given = {"DatabaseInput": {"Name": database}}
                    services.do(f"{_GLUE}createDatabase", given)

    def marts(self) -> tuple[tuple[str, str], ...]:
        """Say where the marts are, as a command to look at them."""
        used = {table.load_mart for table in self.bundle.tables if table.load_mart}
        found = []
        for name, mart in self.environment.marts.items():
            if name in used and mart.engine == "sqlite":
                path = os.path.relpath(self.root / mart.path)
                found.append((name, f"sqlite3 {path} .tables"))
            elif name in used and mart.engine == "mysql":
                found.append((name, _mysql_command(mart)))
        return tuple(found)

    def notify_failure(self, run: Run) -> None:
        """Tell the workflow's topic, if it has one, that an execution failed."""
        topic = self.bundle.on_failure.get(run.workflow)
        end = self.runs.end(run.name)
        if topic is None or end is None:
            return
        from runner.app.notification import failure_event, subject_of  # noqa: PLC0415 - rare
        from runner.local.sns import Sns  # noqa: PLC0415

        text = json.dumps(failure_event(run, end), ensure_ascii=False)
        message = {"TopicArn": topic, "Subject": subject_of(run, end), "Message": text}
        Sns(self.state / "sns.jsonl", self.now)("publish", message)


def open_places(root: Path, bundle: Bundle, *, now: Callable[[], datetime]) -> Local:
    """Give the local environment of a bundle; UsageError for one that is not on this machine."""
    from runner.local.runs import RunRegistry  # noqa: PLC0415 - fcntl is not everywhere

    if bundle.environment["engine"] != "local":
        name = bundle.environment_name
        advice = "leave --env away, or name an environment of config.yaml with engine: local"
        expected = "an environment with engine: local"
        raise UsageError(
            [Fault(Place("--env"), "not-local", f"{name}, which is on AWS", expected, advice)]
        )

    environment = as_environment(bundle)
    runs = RunRegistry(root / environment.state / "runs", now=now)
    return Local(root, bundle, environment, runs, now)


def _mysql_command(mart: MysqlMart) -> str:
    """Write the client's command line for a mart; it asks for the password.

    >>> from runner.model.config import MysqlMart
    >>> _mysql_command(MysqlMart(engine="mysql", host="${env:H}", user="ana", database="mart"))
    'mysql -h "$H" -P 3306 -u ana -p mart'
    """
    host, port, user, database = (
        re.sub(r"^\$\{env:(\w+)\}$", r'"$\1"', str(value))
        for value in (mart.host, mart.port, mart.user, mart.database)
    )
    return f"mysql -h {host} -P {port} -u {user} -p {database}"


def as_environment(bundle: Bundle) -> LocalEnvironment:
    """Give the bundle's environment with attributes, without paying for its validation again."""
    said = bundle.environment
    marts = {name: SimpleNamespace(**mart) for name, mart in said["marts"].items()}
    return cast("LocalEnvironment", SimpleNamespace(**{**said, "marts": marts}))
