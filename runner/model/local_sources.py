"""What stands on this machine for parts of AWS that bring data: sections of a local environment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runner.model.header import Strict


class LocalCrawler(Strict):
    """What a crawler of Glue looks at, and where it writes the tables that it finds."""

    paths: tuple[str, ...] = Field(
        min_length=1, description="Folders in S3, such as s3://bucket/prefix/."
    )
    database: str = Field(
        min_length=1, description="The catalogue's database; made if it is not there."
    )
    prefix: str = Field("", description="What the names of its tables begin with.")
    table: str | None = Field(
        None,
        min_length=1,
        description="Name of the one table that it makes, after the prefix; the folder's name if "
        "absent.",
    )
    classification: Literal["parquet", "json", "csv"] | None = Field(
        None, description="Format of all files; told from each file if absent."
    )
    exclude: tuple[str, ...] = Field(
        (), description="Patterns of keys, below the path, that are left out: **/_tmp/*."
    )
