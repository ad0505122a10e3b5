"""Athena on this machine: its SQL, DDL, limits and messages, on DuckDB."""

from runner.local.athena.athena import LocalAthena, QueryResult
from runner.local.athena.errors import AthenaFailure, InvalidRequest

__all__ = ["AthenaFailure", "InvalidRequest", "LocalAthena", "QueryResult"]
