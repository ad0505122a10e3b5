"""What the bundle keeps of a table for the planning of backfills."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """A table that a file reads."""

    table: str
    windowed: bool
    lookback: int
    share: float
    """Part of its bytes that the columns named in the SQL make up; 1 for formats by row."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the files of a `ddl` table are."""

    location: str = ""
    """LOCATION, an S3 URI; empty for other kinds."""
    template: str = ""
    """Folder of a period below the location, with `${}` for its value; empty when unknown."""
    pattern: str = ""
    """Java date pattern of the value."""
    grain: str = ""
