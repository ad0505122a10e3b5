"""What a load finds: the mart's table, its server, and the rows that are to go there.

The edges look (`runner.local.loader`), the checks judge (`runner.loads.checks`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

Product = Literal["mysql", "mariadb", "sqlite"]
Engine = Literal["native", "embulk"]


@dataclass(frozen=True, slots=True)
class MartColumn:
    """A column of a mart's table, as the server describes it."""

    name: str
    type: str
    """`varchar`, `decimal`, ...: lower case, without size.  SQLite: as declared."""
    full_type: str
    """`varchar(64)`, `int(10) unsigned`."""
    characters: int = 0
    """Most characters of a text; 0 where there is no such limit."""
    bytes: int = 0
    """Most bytes of a text or binary; 0 where there is no such limit."""
    digits: int = 0
    scale: int = 0
    fraction: int = 0
    """Digits of a second that a time keeps."""
    nullable: bool = True
    has_default: bool = False
    """A default, AUTO_INCREMENT, or a value that the server computes."""
    generated: bool = False
    """The server computes it: no row may bring a value."""
    fills_null: bool = False
    """NULL is no error, and the server stores a value of its own: AUTO_INCREMENT, SQLite's integer
    key, and a TIMESTAMP that is NOT NULL."""
    charset: str = ""
    collation: str = ""

    @property
    def unsigned(self) -> bool:
        """Tell whether a number has no sign."""
        return "unsigned" in self.full_type

    @property
    def must_be_given(self) -> bool:
        """Tell whether a row without this column is refused."""
        return not self.nullable and not self.has_default


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A primary or unique key."""

    name: str
    columns: tuple[str, ...]
    partial: bool = False
    """Over a prefix of a column, an expression, or some rows only: it does not name whole rows."""


@dataclass(frozen=True, slots=True)
class MartTable:
    """A table of a mart."""

    name: str
    columns: tuple[MartColumn, ...]
    unique_keys: tuple[UniqueKey, ...] = ()
    engine: str = ""
    """`InnoDB`, ...; a table of another engine cannot be rolled back."""
    triggers: tuple[str, ...] = ()
    referenced_by: tuple[str, ...] = ()
    """Foreign keys of other tables that point here."""
    foreign_keys: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    """Views that read it."""

    def column(self, name: str) -> MartColumn | None:
        """Find a column; names of columns have no case."""
        folded = name.lower()
        return next((one for one in self.columns if one.name.lower() == folded), None)


@dataclass(frozen=True, slots=True)
class Leftover:
    """A table that a killed load left behind."""

    name: str
    created: dt.datetime
    """By the server's clock, in UTC."""


@dataclass(frozen=True, slots=True)
class MartServer:
    """A mart's server and schema."""

    product: Product
    version: str = ""
    local_infile: bool = False
    database: str = ""
    tables: tuple[str, ...] = ()
    """Every table of the schema."""
    leftovers: tuple[Leftover, ...] = ()
    privileges: frozenset[str] | None = None
    """What the user may do with this schema (`INSERT`, ...); None if the server does not tell."""
    now: dt.datetime | None = None
    """The server's clock, in UTC."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What the files hold in one column; None where it has no such thing."""

    nulls: int = 0
    least: int | float | str | None = None
    greatest: int | float | str | None = None
    characters: int | None = None
    """Of the longest text."""
    bytes: int | None = None
    """Of the longest text, in UTF-8."""
    beyond_ascii: int = 0
    """Rows whose text has characters outside of ASCII."""
    beyond_plane: int = 0
    """Rows whose text has characters that take four bytes in UTF-8, such as emoji."""
    carriage_returns: int = 0
    """Rows whose text has one."""
    zero_characters: int = 0
    """Rows whose text has the character U+0000."""
    not_finite: int = 0
    """NaN and infinities."""
    below_second: int = 0
    """Digits of a second that are used: 0, 3, 6."""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the files of a load hold."""

    rows: int
    null_keys: int = 0
    repeated_keys: int = 0
    case_variants: int = 0
    """Keys that differ from another one in case, accents or blanks at the end only."""
    blank_variants: int = 0
    """Keys that differ from another one in blanks at the end only."""
    columns: Mapping[str, ColumnFacts] = field(default_factory=dict)
