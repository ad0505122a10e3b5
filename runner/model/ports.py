"""The seams: what pure stages need from the world, as Protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Json = Any
"""A JSON value."""


class ServiceError(Exception):
    """A service's refusal or failure, with the error name that Amazon States Language matches."""

    def __init__(self, error: str, cause: str = "") -> None:
        """Take the error name (`Glue.EntityNotFoundException`) and the cause's text."""
        self.error = error
        self.cause = cause
        super().__init__(f"{error}: {cause}")


class Service(Protocol):
    """One service integration: takes the evaluated Arguments, gives the task's raw result."""

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Do it; raises ServiceError.  `action` is e.g. `startQueryExecution.sync`."""
        ...


class Objects(Protocol):
    """Objects by their `s3://` URI; what goes wrong is a ServiceError `S3.*`."""

    def read(self, uri: str) -> bytes:
        """Give a small object."""
        ...

    def write(self, uri: str, body: bytes) -> None:
        """Write an object, whether there is one or not."""
        ...

    def download(self, wanted: Sequence[tuple[str, Path]]) -> None:
        """Write objects into files, several at once, in little memory."""
        ...
