"""Marts to load into, and the secrets that open them.

In: the environment's `marts` as the user wrote them.  Out: targets.  `${env:NAME}` stays as it is
until a connection is opened, so no value of a secret can reach a log, a journal or an error
(SEMANTICS 32).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.model.config import MysqlMart, SqliteMart

_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


class SqliteTarget(NamedTuple):
    """A mart in a SQLite file."""

    path: Path


@dataclass(frozen=True, slots=True)
class MysqlTarget:
    """A mart in MySQL or MariaDB; the texts may hold `${env:NAME}`."""

    database: str
    environ: Mapping[str, str] = field(repr=False)
    """Where `${env:NAME}` is looked up, when connecting."""
    host: str = "127.0.0.1"
    port: str = "3306"
    socket: str | None = None
    user: str = "root"
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    """Whether the connection is encrypted and the server's certificate and name are verified."""
    ca: str | None = None
    """A PEM file of certificate authorities; the system's own if None."""


Target = SqliteTarget | MysqlTarget


def target_of(
    mart: SqliteMart | MysqlMart, *, root: Path, environ: Mapping[str, str]
) -> SqliteTarget | MysqlTarget:
    """Make a target of what the config says; nothing is resolved yet."""
    if mart.engine == "sqlite":
        return SqliteTarget(root / mart.path)
    return MysqlTarget(
        database=mart.database,
        environ=environ,
        host=mart.host,
        port=str(mart.port),
        socket=mart.socket,
        user=mart.user,
        password=mart.password,
        tls=mart.tls,
        ca=str(root / mart.ca) if mart.ca else None,
    )


def resolve(text: str, environ: Mapping[str, str]) -> str:
    """Put the values of `${env:NAME}` in; ServiceError names a variable that is not set.

    >>> resolve("${env:USER}_x", {"USER": "ana"})
    'ana_x'
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise ServiceError(
                "Load.MissingVariable",
                f"the environment variable {match[1]} is not set; the mart's connection needs it",
            )
        return environ[match[1]]

    return _REFERENCE.sub(value, text)
