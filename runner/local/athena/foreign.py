"""Files in formats that DuckDB does not read, named inside of SQL.

In: a format, files and declared columns.  Out: the name of a table that says it all; `Engine`
finds such names in a statement and gives DuckDB their rows.  A query so stays one text.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PREFIX = "foreign:"
_NAME = re.compile(rf'"({_PREFIX}([\w=-]+))"')
PACKAGES = "athena-runner[formats]"


class ForeignScan(NamedTuple):
    """What is read: the format, paths, declared columns (name, Hive type), and how."""

    format: str
    paths: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str], ...] = ()
    """The SerDe's properties, names in lower case."""
    by_index: bool = False
    """Whether columns are found by their place, and not by name."""
    path_column: str = ""
    """The name of a column that holds each row's file; empty for none."""
    row_column: str = ""
    """The name of a column that counts the rows of each file from 0; empty for none."""
    numbers: tuple[int, ...] = ()
    """Iceberg's numbers of the columns: they are found by these, and timestamps are kept whole."""

    def option(self, name: str, default: str = "") -> str:
        """Give a property of the SerDe."""
        return dict(self.options).get(name, default)

    def is_on(self, name: str, *, default: bool = False) -> bool:
        """Tell whether a property of the SerDe says true."""
        return self.option(name, str(default)).strip().lower() == "true"


class Reading:
    """What is read while a statement runs: bytes, and the first failure."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.bytes_read = 0
        self._failure: AthenaFailure | None = None

    def fail(self, failure: AthenaFailure) -> None:
        """Keep why reading failed, which DuckDB's own error does not tell in full."""
        self._failure = failure

    def take_failure(self) -> AthenaFailure | None:
        """Give the failure once; what it holds on to must not outlive the statement."""
        found, self._failure = self._failure, None
        return found


def foreign_table(scan: ForeignScan) -> str:
    """Write a scan as the quoted name of a table.

    >>> scan = ForeignScan("orc", ("/x",), (("a", "int"),))
    >>> dict(foreign_scans(f"SELECT a FROM {foreign_table(scan)}")).popitem()[1] == scan
    True
    """
    packed = zlib.compress(json.dumps(scan).encode())
    return f'"{_PREFIX}{base64.urlsafe_b64encode(packed).decode()}"'


def foreign_scans(sql: str) -> Iterator[tuple[str, ForeignScan]]:
    """Find the scans that a statement names."""
    if _PREFIX not in sql:
        return
    for name, packed in _NAME.findall(sql):
        given = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
        kind, paths, columns, options, by_index, path, row, numbers = given
        yield (
            name,
            ForeignScan(
                kind,
                tuple(paths),
                _pairs(columns),
                _pairs(options),
                by_index=by_index,
                path_column=path,
                row_column=row,
                numbers=tuple(numbers),
            ),
        )


def _pairs(given: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in given)


def missing(what: str, error: ImportError) -> AthenaFailure:
    """Make the failure of a format whose library is not installed."""
    return AthenaFailure(
        "NOT_SUPPORTED",
        f"{what} needs a package that is not installed ({error.name}); install it with "
        f"pip install '{PACKAGES}'",
    )
