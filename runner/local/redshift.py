"""Redshift's Data API on this machine: SQL runs in a PostgreSQL, if the environment has one.

In: the arguments of `aws-sdk:redshiftdata` tasks.  Out: what the Data API answers.  A statement has
ended when its call returns; what became of it is kept in a file, by its id and its ClientToken, so
that a run that goes on after a kill finds it again.  Without a PostgreSQL every statement is
refused: nothing passes as done that nobody did.
"""

from __future__ import annotations

import json
import os
import re
import threading
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from runner.model.config import Postgres

_REFUSED = "Redshift.NotOnThisMachine"
_SAID = (
    "Redshift is not on this machine. Name a PostgreSQL under `redshift:` of the environment to "
    "run the step's SQL there, catch this error, or run the workflow on AWS."
)
_MISSING = "`redshift:` needs psycopg: install the extra `postgres` of athena-runner."
_PARAMETER = re.compile(
    r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/)|(?<![:\w]):([A-Za-z_]\w*)|%",
    re.DOTALL,
)


class Cursor(Protocol):
    """A cursor of DB-API 2.0 that takes %(name)s."""

    @property
    def rowcount(self) -> int:
        """Count the rows of the last statement; -1 where there are none."""
        ...

    def execute(self, sql: str, parameters: Mapping[str, str]) -> object:
        """Run a statement."""
        ...


class Connection(Protocol):
    """A connection of DB-API 2.0; a transaction is open until it is committed."""

    autocommit: bool
    """Without a transaction: VACUUM and the like take none."""

    def cursor(self) -> Cursor:
        """Give a cursor."""
        ...

    def commit(self) -> None:
        """Make what was done last."""
        ...

    def close(self) -> None:
        """End it; what was not committed is undone."""
        ...


class RedshiftData:
    """The Data API of one environment."""

    def __init__(self, path: Path, connect: Callable[[str], Connection]) -> None:
        """Take the file of what was run, and what connects to a database by its name."""
        self._path = path
        self._connect = connect
        self._lock = threading.Lock()

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Do one action; raises ServiceError, also for an action that is not known here."""
        match action:
            case "executeStatement":
                return self._execute([str(arguments["Sql"])], arguments)
            case "batchExecuteStatement":
                return self._execute([str(sql) for sql in arguments["Sqls"]], arguments)
            case "describeStatement":
                return self._found(str(arguments.get("Id")))
            case "cancelStatement":
                self._found(str(arguments.get("Id")))
                return {"Status": False}  # it has ended already
        raise ServiceError(
            "States.Runtime", f"aws-sdk:redshiftdata:{action} is not known on this machine"
        )

    def _execute(self, statements: Sequence[str], arguments: Mapping[str, Json]) -> Json:
        token = str(arguments.get("ClientToken") or uuid.uuid4())
        with self._lock:
            for line in self._lines():
                if line["ClientToken"] == token:
                    return {"Id": line["Id"]}
            told = self._run(statements, arguments)
            line = {"Id": str(uuid.uuid4()), "ClientToken": token, **told}
            self._append(json.dumps(line).encode() + b"\n")
            return {"Id": line["Id"]}

    def _run(self, statements: Sequence[str], arguments: Mapping[str, Json]) -> dict[str, Json]:
        given = arguments.get("Parameters") or ()
        parameters = {str(one["Name"]): str(one["Value"]) for one in given}
        connection = self._connect(str(arguments["Database"]))
        connection.autocommit = "Sql" in arguments  # a batch is one transaction
        try:
            rows = -1
            for sql in statements:
                cursor = connection.cursor()
                cursor.execute(*placed(sql, parameters))
                rows = cursor.rowcount
            connection.commit()
        except Exception as error:  # noqa: BLE001 - the database's own words are the answer
            return {"Status": "FAILED", "Error": f"ERROR: {error}".strip(), "Duration": 0}
        finally:
            connection.close()
        return {"Status": "FINISHED", "ResultRows": rows, "Duration": 0}

    def _found(self, identity: str) -> Json:
        line = next((line for line in self._lines() if line["Id"] == identity), None)
        if line is None:
            raise ServiceError(
                "RedshiftData.ResourceNotFoundException", f"Query does not exist: {identity}"
            )
        return {key: value for key, value in line.items() if key != "ClientToken"}

    def _lines(self) -> list[dict[str, Any]]:
        if not self._path.is_file():
            return []
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def placed(sql: str, given: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Write `:name` as psycopg reads it, and give the values that are named.

    >>> placed("SELECT a::int, ':x', 5 % 2 FROM t WHERE d = :start", {"start": "2013-01-05"})
    ("SELECT a::int, ':x', 5 %% 2 FROM t WHERE d = %(start)s", {'start': '2013-01-05'})
    """
    used: dict[str, str] = {}

    def written(match: re.Match[str]) -> str:
        quoted, name = match.groups()
        if quoted is not None:
            return quoted.replace("%", "%%")
        if name is None:
            return "%%"
        if name not in given:
            return match[0]
        used[name] = given[name]
        return f"%({name})s"

    return _PARAMETER.sub(written, sql), used


def connector(
    postgres: Postgres | None, resolve: Callable[[str], str]
) -> Callable[[str], Connection]:
    """Give what connects to the environment's PostgreSQL; without one it refuses by name."""

    def connect(database: str) -> Connection:
        if postgres is None:
            raise ServiceError(_REFUSED, _SAID)
        try:
            import psycopg  # noqa: PLC0415 - an extra
        except ModuleNotFoundError:
            raise ServiceError(_REFUSED, _MISSING) from None
        try:
            connection: Connection = psycopg.connect(
                host=resolve(postgres.host),
                port=resolve(str(postgres.port)),
                user=resolve(postgres.user),
                password=resolve(postgres.password) if postgres.password else None,
                dbname=database,
            )
        except psycopg.OperationalError as error:
            raise ServiceError("RedshiftData.DatabaseConnectionException", str(error)) from None
        return connection

    return connect
