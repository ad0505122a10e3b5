"""What a local environment consists of: folders, the catalogue, the services, the marts.

In: a bundle and the project's folder.  Out: `Local`, which opens parts when they are asked for.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from runner.app.clocks import WallClock
from runner.errors import Fault, Place, UsageError
from runner.keeper.storage import Storage
from runner.model.names import STAGE_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.keeper.catalog import Catalog
    from runner.keeper.records import Entry
    from runner.local.athena import LocalAthena
    from runner.local.firehose import StreamPlace
    from runner.local.glue import GlueCatalog
    from runner.local.lambdas import Function
    from runner.local.runs import Run, RunRegistry
    from runner.local.s3 import FolderS3
    from runner.local.services import LocalServices
    from runner.model.config import LocalEnvironment, MysqlMart

_GLUE = "arn:aws:states:::aws-sdk:glue:"
COMMAND = "runner-"
"""How the machine of a command that holds a lease begins; no workflow's can."""
_SUFFIX_BYTES = 3


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

    @property
    def lake(self) -> str:
        """Give the lake's URI."""
        return self.environment.lake

    @property
    def execution_prefix(self) -> str:
        """Give what ARNs of executions begin with, up to the name of the machine."""
        from runner.local.runs import ARN_PREFIX  # noqa: PLC0415 - fcntl is not everywhere

        return f"{ARN_PREFIX}execution:"

    @property
    def grace_s(self) -> float:
        """Give the longest life of a call of a dead run: none, since it died with the process."""
        return 0.0

    def objects(self, location: str) -> Storage:
        """Open any other place in S3."""
        return Storage(self.s3(), location, workers=1, moves=True)

    @contextmanager
    def catalog_open(self) -> Iterator[Catalog]:
        """Open the catalogue as the keeper sees it."""
        from runner.keeper.catalog import Catalog  # noqa: PLC0415 - only when used

        client = self.catalog()
        try:
            yield Catalog(client)
        finally:
            client.close()

    def locations(self) -> Mapping[str, str]:
        """Give where the catalogue says that each table is; nothing before the first run."""
        from runner.app.places import table_locations  # noqa: PLC0415 - it imports this module

        if not (self.state / "catalog.sqlite").is_file():
            return {}
        with self.catalog_open() as catalog:
            return dict(table_locations(catalog, self.bundle.databases))

    def backfill_runs(self, name: str) -> tuple[tuple[str, str], ...]:
        """Give the runs of a backfill, the oldest first: name and status of each."""
        mine = (
            run
            for run in reversed(self.runs.runs())
            if isinstance(run.input, dict) and run.input.get("backfill") == name
        )
        return tuple((run.name, self.runs.status(run.name).value) for run in mine)

    def stopped(self, table: str, since: Entry | None) -> str:
        """Find the newest run whose rows of the table were refused, if none was published since."""
        from runner.keeper import records  # noqa: PLC0415 - only where tests are shown

        refusal = re.compile(rf"(?:^|; ){re.escape(table)} failed: (.*?)\. Nothing was published")
        for run in self.runs.runs():
            end = self.runs.end(run.name)
            if since is not None and end is not None and end.at <= records.moment(since.at):
                break
            found = refusal.search(end.cause) if end is not None else None
            if found is not None:
                return f"{run.name}: {found[1]}"
        return ""

    @contextmanager
    def working(self, verb: str, table: str) -> Iterator[str]:
        """Be an execution of its own with a lock, so that whoever meets its lease can ask."""
        name = f"{self.now():%Y%m%dT%H%M%S}-{secrets.token_hex(_SUFFIX_BYTES)}"
        handle = self.commands.create(
            name, workflow=f"{COMMAND}{verb}", execution_input={"table": table}, definition=b"{}"
        )
        try:
            with handle:
                yield handle.run.arn
        finally:
            shutil.rmtree(handle.run.folder, ignore_errors=True)

    @staticmethod
    def refusals(doing: str) -> AbstractContextManager[object]:
        """Nobody refuses anything here."""
        del doing
        return nullcontext()

    def services(
        self,
        *,
        keeper: Callable[[dict[str, Any], object], Any],
        functions: Mapping[str, Function],
    ) -> LocalServices:
        """Open every local service; functions are by their deployed names."""
        from runner.app.function_calls import object_readers  # noqa: PLC0415 - only for a run
        from runner.local.services import LocalNames, open_local  # noqa: PLC0415

        return open_local(
            self.root,
            self.environment,
            names=LocalNames(
                self.bundle.prefix, functions, self._streams(), object_readers(self.bundle)
            ),
            keeper=keeper,
            open_athena=self.athena,
            environ=os.environ,
            now=self.now,
        )

    def _streams(self) -> dict[str, StreamPlace]:
        """Give the delivery streams by their deployed names."""
        if not self.bundle.streams:
            return {}
        from runner.app.functions import deployed_name  # noqa: PLC0415 - only with streams
        from runner.local.firehose import StreamPlace  # noqa: PLC0415

        to = self.environment.streams_to
        return {
            deployed_name(self.bundle, name): StreamPlace(
                name=deployed_name(self.bundle, name),
                to=to if to.endswith("/") else f"{to}/",
                prefix=said["prefix"],
                errors=said["errors"],
                compression=said["compression"],
                size_bytes=said["size"] << 20,
                function=deployed_name(self.bundle, said["transform"]) if said["transform"] else "",
            )
            for name, said in self.bundle.streams.items()
        }

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
        from runner.app.notification import ended_event, subject_of  # noqa: PLC0415 - rare
        from runner.local.sns import Sns  # noqa: PLC0415

        text = json.dumps(ended_event(run, end), ensure_ascii=False)
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
    named = ("marts", "connections", "tasks", "crawlers", "glue_jobs", "builds", "dynamodb")
    sections: dict[str, Any] = {
        section: {name: SimpleNamespace(**one) for name, one in said.get(section, {}).items()}
        for section in named
    }
    sections["rds"] = {
        name: SimpleNamespace(**{**one, "connect": SimpleNamespace(**one["connect"])})
        for name, one in said.get("rds", {}).items()
    }
    if said.get("redshift") is not None:
        sections["redshift"] = SimpleNamespace(**said["redshift"])
    return cast("LocalEnvironment", SimpleNamespace(**{**said, **sections}))
