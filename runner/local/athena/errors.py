"""Failures of statements, worded and numbered as Athena words and numbers them.

A statement that was accepted and then failed raises `AthenaFailure`; one that was never accepted
raises `InvalidRequest`.
"""

from __future__ import annotations

SYSTEM, USER = 1, 2
_TYPES = {
    "HIVE_TOO_MANY_OPEN_PARTITIONS": 1,
    "HIVE_EXCEEDED_PARTITION_LIMIT": 1,
    "EXCEEDED_LOCAL_MEMORY_LIMIT": 1,
    "HIVE_METASTORE_ERROR": 204,
    "HIVE_BAD_DATA": 1001,
    "HIVE_CANNOT_OPEN_SPLIT": 1001,
    "HIVE_CURSOR_ERROR": 1001,
    "INVALID_CAST_ARGUMENT": 1001,
    "DIVISION_BY_ZERO": 1001,
    "NUMERIC_VALUE_OUT_OF_RANGE": 1001,
    "MERGE_TARGET_ROW_MULTIPLE_MATCHES": 1001,
    "HIVE_PARTITION_SCHEMA_MISMATCH": 1004,
    "HIVE_PATH_ALREADY_EXISTS": 1009,
    "USER_CANCELED": 1011,
    "INVALID_ARGUMENTS": 1100,
    "INVALID_PARAMETER_USAGE": 1100,
    "CONSTRAINT_VIOLATION": 1100,
    "INVALID_TABLE_PROPERTY": 1103,
    "INVALID_FUNCTION_ARGUMENT": 1106,
    "INVALID_VIEW": 1107,
    "VIEW_IS_STALE": 1107,
    "VIEW_IS_RECURSIVE": 1107,
    "TABLE_NOT_FOUND": 1110,
    "NOT_SUPPORTED": 1200,
    "NOT_FOUND": 1300,
    "SCHEMA_NOT_FOUND": 1301,
    "CATALOG_NOT_FOUND": 1301,
    "FUNCTION_NOT_FOUND": 1303,
    "GENERIC_INTERNAL_ERROR": 9999,
}
"""AthenaError.ErrorType by code: what the user guide's "Athena error catalog" says of numbers."""
_DDL_FAILED = 1003
_ICEBERG = 233
_OTHER = 1006
"""What Athena says of statements that it cannot analyse."""
_UNKNOWN_TYPE = 1202
"""A statement of a kind that Athena does not have."""


class AthenaFailure(Exception):
    """A failed statement: `code` is Athena's (`TABLE_NOT_FOUND`), the text is StateChangeReason."""

    def __init__(
        self, code: str, message: str, *, line: int = 0, column: int = 0, at: object = None
    ) -> None:
        """Take the code, the message, and the place in the statement if it is known.

        `at` is the expression that is wrong: whoever has the text then gives it its place.
        """
        self.code = code
        self.message = message
        self.at = None if line else at
        self.reason = code
        self.put(line, column)

    def put(self, line: int, column: int) -> None:
        """Say where it is in the statement; line 0 says nothing."""
        place = f"line {line}:{column}: " if line else ""
        self.reason = f"{self.code}: {place}{self.message}"
        self.args = (self.reason,)

    def category(self) -> int:
        """Tell whose fault it is: 1 the system's, 2 the user's."""
        return SYSTEM if self.code == "GENERIC_INTERNAL_ERROR" else USER

    def error_type(self) -> int:
        """Give the number of AthenaError.ErrorType."""
        if self.code.startswith("FAILED"):
            return _DDL_FAILED
        if self.code.startswith("ICEBERG_"):
            return _ICEBERG
        if self.reason == unknown_statement().reason:
            return _UNKNOWN_TYPE
        return _TYPES.get(self.code, _OTHER)


class DdlFailure(AthenaFailure):
    """A DDL statement that failed; its reason begins `FAILED: `."""

    def __init__(self, message: str) -> None:
        """Take the message that follows `FAILED: `."""
        super().__init__("FAILED", message)


class InvalidRequest(Exception):
    """A submission that Athena refuses; no execution exists."""

    def __init__(
        self,
        message: str,
        code: str = "InvalidRequestException",
        *,
        detail: str = "INVALID_INPUT",
    ) -> None:
        """Take the message, the exception's name at AWS, and its AthenaErrorCode."""
        self.message = message
        self.code = code
        self.detail = detail
        super().__init__(message)


def syntax_error(line: int, column: int, message: str) -> AthenaFailure:
    """Make the failure of a statement that cannot be parsed."""
    return AthenaFailure("SYNTAX_ERROR", message, line=line, column=column)


def unknown_statement() -> AthenaFailure:
    """Make the failure of a statement of a kind that Athena does not have."""
    return AthenaFailure("NOT_SUPPORTED", "Queries of this type are not supported")


def unsupported(what: str, *, line: int = 0, column: int = 0) -> AthenaFailure:
    """Make the failure of something that Athena may do and the local engine does not."""
    return AthenaFailure(
        "NOT_SUPPORTED", f"{what} is not supported by the local engine", line=line, column=column
    )


def no_column(name: str) -> str:
    """Say that a column is not there, as engine version 3 does."""
    return (
        f"Column '{name}' cannot be resolved or requester is not authorized to access requested "
        "resources"
    )
