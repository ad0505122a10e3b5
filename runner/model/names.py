"""Names of tables: `database.table`, as users write them and as an environment stores them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
MAX_NAME_LENGTH = 100
STAGE_SUFFIX = "__stage"
"""Stage tables live in `<database>__stage`; readers never look there."""

BACKFILL = "backfill"
"""What the machine of backfills is called; no workflow may be."""
LOAD = "load"
"""What the machine that only loads is called; no workflow may be."""
_MAX_DEPLOYED = 80
_HASH = 8


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table's logical name, without any environment's suffix."""

    database: str
    table: str

    def __str__(self) -> str:
        """Write it as SQL does: `database.table`."""
        return f"{self.database}.{self.table}"

    @classmethod
    def split(cls, text: str) -> TableName:
        """Take `database.table` apart to look for it; it may be no name of ours at all."""
        database, _, table = text.partition(".")
        return cls(database, table)

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Read `database.table`; raises ValueError for anything else."""
        database, dot, table = text.partition(".")
        if not dot or not is_name(database) or not is_name(table):
            message = f"{text!r} is not a table name of the form database.table"
            raise ValueError(message)
        return cls(database, table)


def is_name(text: str) -> bool:
    """Tell whether the text may name a database or a table (reserved words are another check)."""
    return len(text) <= MAX_NAME_LENGTH and NAME.match(text) is not None


def deployed_name(*parts: str) -> str:
    """Name a deployed part in the 80 characters that AWS allows; a longer name ends in its hash.

    >>> deployed_name("flights-prod", "daily", "tables-1-1")
    'flights-prod-daily-tables-1-1'
    """
    name = "-".join(parts)
    if len(name) <= _MAX_DEPLOYED:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{name[: _MAX_DEPLOYED - _HASH - 1]}-{digest}"
