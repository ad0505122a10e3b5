"""Failures of statements, worded and numbered as Athena words and numbers them.

A statement that was accepted and then failed raises `AthenaFailure`; one that was never accepted
raises `InvalidRequest`.
"""

from __future__ import annotations

SYSTEM, USER = 1, 2
_TYPES = {
    "SYNTAX_ERROR": 1006,
    "HIVE_TOO_MANY_OPEN_PARTITIONS": 1,
    "GENERIC_INTERNAL_ERROR": 9999,
    "TABLE_NOT_FOUND": 1110,
    "SCHEMA_NOT_FOUND": 1301,
    "USER_CANCELED": 1011,
    "ICEBERG_COMMIT_ERROR": 233,
}
_DDL_FAILED = 1003
_OTHER = 1006


class AthenaFailure(Exception):
    """A failed statement: `code` is Athena's (`TABLE_NOT_FOUND`), the text is StateChangeReason."""

    def __init__(self, code: str, message: str, *, line: int = 0, column: int = 0) -> None:
        """Take the code, the message, and the place in the statement if it is known."""
        place = f"line {line}:{column}: " if line else ""
        self.code = code
        self.reason = f"{code}: {place}{message}"
        super().__init__(self.reason)

    def category(self) -> int:
        """Tell whose fault it is: 1 the system's, 2 the user's."""
        return SYSTEM if self.code == "GENERIC_INTERNAL_ERROR" else USER

    def error_type(self) -> int:
        """Give the number of AthenaError.ErrorType."""
        if self.code.startswith("FAILED"):
            return _DDL_FAILED
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


def unsupported(what: str, *, line: int = 0, column: int = 0) -> AthenaFailure:
    """Make the failure of something that Athena may do and the local engine does not."""
    return AthenaFailure(
        "NOT_SUPPORTED", f"{what} is not supported by the local engine", line=line, column=column
    )
