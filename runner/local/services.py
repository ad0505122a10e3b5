"""Every service integration that a local run can reach, behind one door.

In: a task's resource and arguments, from the interpreter.  Out: the service's raw result, or a
ServiceError.  A resource that nobody here serves is an error that names it: nothing unknown ever
passes as a success.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from runner.local.arrivals import Arrivals, Called, ObjectReader
    from runner.local.athena import LocalAthena
    from runner.local.firehose import Firehose, StreamPlace
    from runner.local.glue import GlueCatalog
    from runner.local.lambdas import Function, InProcess
    from runner.local.loader import Target
    from runner.local.loader.source import Connect
    from runner.local.s3 import FolderS3, Written
    from runner.machine.ports import TaskRequest
    from runner.model.config import LocalEnvironment
    from runner.model.ports import Service

_INTEGRATION = re.compile(r"arn:aws[a-z-]*:states:[^:]*:[^:]*:((?:aws-sdk:)?[^:]+):([^:]+)\Z")
_LAMBDA = re.compile(r"arn:aws[a-z-]*:lambda:[^:]*:[^:]*:function:.+\Z")


_REPEATABLE = frozenset({"athena", "aws-sdk:glue", "aws-sdk:rds", "aws-sdk:s3", "ecs"})


class Opened(Protocol):
    """A service that is open and can be closed."""

    def service(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Do one action."""
        ...

    def close(self) -> None:
        """Let go of files and processes."""
        ...


class OpenedAthena(Opened, Protocol):
    """An Athena that lends its DuckDB."""

    def connect(self) -> DuckDBPyConnection:
        """Give a connection that the caller closes."""
        ...


T = TypeVar("T", bound=Opened)


class Lazy(Generic[T]):
    """A service that opens when it is first asked; safe to call from several threads."""

    def __init__(self, open_it: Callable[[], T]) -> None:
        """Take what opens it."""
        self._open = open_it
        self._opened: T | None = None
        self._lock = threading.Lock()

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Open the service if need be and pass the call on."""
        return self.get().service(action, arguments)

    def get(self) -> T:
        """Give the open service."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def close(self) -> None:
        """Close the service if it was opened; it opens again when it is asked again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()


class LocalServices:
    """The services of a local environment; implements the interpreter's TaskService."""

    def __init__(
        self,
        services: Mapping[str, Service],
        *,
        firehose: Firehose | None = None,
        arrivals: Arrivals | None = None,
        repeatable_functions: frozenset[str] = frozenset(),
        own_tasks: frozenset[str] = frozenset(),
        closers: tuple[Callable[[], None], ...] = (),
    ) -> None:
        """Take services by the name in the resource: `athena`, `lambda`, `aws-sdk:glue`, ..."""
        self._services = services
        self.firehose = firehose
        self._arrivals = arrivals
        self._repeatable = repeatable_functions
        self._own_tasks = own_tasks
        self._closers = closers

    def call(self, request: TaskRequest) -> Json:
        """Do one task's work; gives the raw result, raises ServiceError."""
        return self.do(request.resource, request.arguments)

    def may_repeat(self, request: TaskRequest) -> bool:
        """Tell whether a call whose outcome is unknown may be made again.

        Statements are found again by their token, the catalogue and S3 are set to what they are
        to be, loads by their key in the mart, exports by their identifier, and the keeper's
        operations are made for it.  A user's function or a message may have done something: the
        definition's Retry decides.
        """
        match = _INTEGRATION.match(request.resource)
        if match is None or not isinstance(request.arguments, dict):
            return False
        if match[1] == "lambda":
            name = str(request.arguments.get("FunctionName", ""))
            return name.rpartition(":function:")[2] in self._repeatable
        if match[1] == "athena" and match[2].startswith("startQueryExecution"):
            return "ClientRequestToken" in request.arguments
        if match[1] == "ecs":
            return not self._is_own_task(request.arguments)
        return match[1] in _REPEATABLE

    def _is_own_task(self, arguments: Mapping[str, Json]) -> bool:
        """Tell whether a task is a program of the user's: nobody knows what it has done."""
        family = str(arguments.get("TaskDefinition", "")).rpartition("/")[2].partition(":")[0]
        return family in self._own_tasks

    def do(self, resource: str, arguments: Mapping[str, Json]) -> Json:
        """Serve a resource (an ARN) with these arguments."""
        if _LAMBDA.match(resource) and "lambda" in self._services:
            call = {"FunctionName": resource, "Payload": arguments}
            return self._services["lambda"]("invoke", call)["Payload"]
        match = _INTEGRATION.match(resource)
        service = self._services.get(match[1]) if match else None
        if match is None or service is None:
            known = ", ".join(f"arn:aws:states:::{name}:*" for name in sorted(self._services))
            raise ServiceError(
                "States.Runtime",
                f"No local service knows the resource {resource!r}; known: {known}",
            )
        if not isinstance(arguments, dict):
            raise ServiceError("States.Runtime", f"{resource} was given no object: {arguments!r}")
        return service(match[2], arguments)

    def settle(self, stop: Callable[[], bool] | None = None) -> tuple[Called, ...]:
        """Wait for the calls that objects made, unless `stop`; gives those since the last time."""
        return () if self._arrivals is None else self._arrivals.settle(stop)

    def close(self) -> None:
        """Close every service that was opened."""
        for close in self._closers:
            close()


@dataclass(frozen=True, slots=True)
class LocalNames:
    """What the definition calls the parts of this environment."""

    prefix: str
    """`<project>-<environment>`: what every deployed name begins with."""
    functions: Mapping[str, Function]
    """The user's and the bundled functions by their deployed names."""
    streams: Mapping[str, StreamPlace] = field(default_factory=dict)
    """Delivery streams by their deployed names."""
    readers: tuple[ObjectReader, ...] = ()
    """Functions that objects call."""

    @property
    def keeper(self) -> str:
        """Name the keeper function."""
        return f"{self.prefix}-keeper"

    def load_tasks(self, marts: tuple[str, ...]) -> dict[str, str]:
        """Name the task definitions of each mart; this machine serves both engines alike."""
        return {
            f"{self.prefix}-{kind}-{mart}": mart for mart in marts for kind in ("load", "embulk")
        }


def open_s3(
    root: Path, environment: LocalEnvironment, observer: Callable[[Written], None] | None = None
) -> FolderS3:
    """Open the folder that stands for S3; it holds nothing open and needs no closing."""
    from runner.local.s3 import FolderS3  # noqa: PLC0415 - only runs need it

    buckets = {name: root / folder for name, folder in environment.buckets.items()}
    return FolderS3(root / environment.state / "s3", buckets, observer=observer)


def open_local(
    root: Path,
    environment: LocalEnvironment,
    *,
    names: LocalNames,
    keeper: InProcess,
    open_athena: Callable[[FolderS3, GlueCatalog], OpenedAthena],
    environ: Mapping[str, str],
    now: Callable[[], dt.datetime],
    connect: Connect | None = None,
) -> LocalServices:
    """Open an environment's services below the project's root; the heavy ones when first asked.

    `connect` gives the DuckDB connection of a load, which closes it; if None, it is a cursor of the
    one that Athena runs on, which saves the start of another.
    """
    from runner.local.arrivals import Arrivals  # noqa: PLC0415 - only runs need it
    from runner.local.crawling import Crawlers  # noqa: PLC0415
    from runner.local.dynamodb import DynamoDb, TableShape  # noqa: PLC0415
    from runner.local.ecs import Ecs  # noqa: PLC0415
    from runner.local.ecs_tasks import EcsTasks  # noqa: PLC0415
    from runner.local.firehose import Firehose  # noqa: PLC0415
    from runner.local.function_endpoint import FunctionEndpoint  # noqa: PLC0415
    from runner.local.http import Http  # noqa: PLC0415
    from runner.local.jobs import Builds, GlueJobs, Surroundings  # noqa: PLC0415
    from runner.local.lambdas import Lambdas  # noqa: PLC0415
    from runner.local.loader import target_of  # noqa: PLC0415
    from runner.local.loader.targets import resolve  # noqa: PLC0415
    from runner.local.map_objects import MapObjects  # noqa: PLC0415
    from runner.local.processes import Processes  # noqa: PLC0415
    from runner.local.rds import Rds  # noqa: PLC0415
    from runner.local.redshift import RedshiftData, connector  # noqa: PLC0415
    from runner.local.s3_service import call_s3  # noqa: PLC0415
    from runner.local.secrets import Secrets  # noqa: PLC0415
    from runner.local.sns import Sns  # noqa: PLC0415

    state = root / environment.state
    s3 = open_s3(root, environment)
    catalog = Lazy(lambda: _open_catalog(state / "catalog.sqlite"))
    athena = Lazy(lambda: open_athena(s3, catalog.get()))
    marts: dict[str, Target] = {
        name: target_of(mart, root=root, environ=environ)
        for name, mart in environment.marts.items()
    }
    sns = Sns(state / "sns.jsonl", now)

    def ask(name: str, event: Json) -> Json:
        return lambdas.ask(name, event)

    arrivals = Arrivals(names.readers, ask, now, frozenset(names.functions))

    def change(name: str, event: Json) -> Json:
        with arrivals.calling(name):
            return lambdas.ask(name, event)

    told = open_s3(root, environment, arrivals.wrote) if names.readers else s3
    firehose = Firehose(names.streams, told, change, now)
    endpoint = FunctionEndpoint(
        told,
        open_catalog=catalog.get,
        open_athena=lambda: cast("LocalAthena", athena.get()),
        more={"sns": sns, "firehose": firehose},
        registry=state / "athena.registry.sqlite",
        dynamodb=DynamoDb(
            state / "dynamodb.sqlite",
            {
                name: TableShape(one.key, one.key_type, one.sort, one.sort_type)
                for name, one in environment.dynamodb.items()
            },
        ),
        secrets=Secrets(environment.secrets, environ),
        signed=arrivals.works_for,
    )
    lambdas = Lambdas(
        names.functions,
        in_process={names.keeper: keeper},
        logs=state / "logs" / "lambda",
        environ=environ,
        endpoint=endpoint.variables,
    )
    ecs = Ecs(
        task_definitions=names.load_tasks(tuple(marts)),
        marts=marts,
        read=lambda uri: _read(s3, uri),
        write=lambda uri, body: _write(s3, uri, body),
        path_of=s3.place_of,  # text: a load has thousands of files
        connect=connect or (lambda: athena.get().connect()),
        log=state / "logs" / "loads.jsonl",
        now=now,
        embulk_home=root / environment.embulk_home if environment.embulk_home else None,
    )
    processes = Processes()
    around = Surroundings(
        root, state / "logs" / "jobs", environ, processes, now, endpoint.variables
    )
    tasks = EcsTasks(
        environment.tasks,
        ecs,
        frozenset(names.load_tasks(tuple(marts))),
        root,
        state / "logs" / "tasks",
        environ,
        now,
    )
    services: dict[str, Service] = {
        "athena": athena,
        "aws-sdk:firehose": firehose,
        "aws-sdk:glue": Crawlers(
            environment.crawlers, s3, catalog.get, catalog, state / "crawlers", now
        ),
        "aws-sdk:rds": Rds(
            {
                name: target_of(one.connect, root=root, environ=environ)
                for name, one in environment.rds.items()
            },
            s3,
            state / "exports",
            now,
        ),
        "aws-sdk:redshiftdata": RedshiftData(
            state / "redshift.jsonl",
            connector(environment.redshift, lambda text: resolve(text, environ)),
        ),
        "aws-sdk:s3": lambda action, arguments: call_s3(told, action, arguments),
        "codebuild": Builds(environment.builds, around),
        "ecs": tasks,
        "glue": GlueJobs(environment.glue_jobs, around),
        "http": Http(environment.connections, environ),
        "lambda": lambdas,
        "s3": MapObjects(s3),
        "sns": sns,
    }
    return LocalServices(
        services,
        firehose=firehose,
        arrivals=arrivals,
        repeatable_functions=frozenset({names.keeper}),
        own_tasks=frozenset(environment.tasks),
        closers=(
            arrivals.close,
            processes.close,
            lambdas.close,
            tasks.close,
            endpoint.close,
            athena.close,
            catalog.close,
        ),
    )


def _open_catalog(path: Path) -> GlueCatalog:
    from runner.local.glue import GlueCatalog  # noqa: PLC0415 - only runs need it

    path.parent.mkdir(parents=True, exist_ok=True)
    return GlueCatalog(path)


def _write(s3: FolderS3, uri: str, body: bytes) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3.put_object(Bucket=bucket, Key=key, Body=body)


def _read(s3: FolderS3, uri: str) -> bytes:
    from runner.local.s3 import S3Error  # noqa: PLC0415 - only runs need it

    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except S3Error as exc:
        raise FileNotFoundError(str(exc)) from exc
    return body
