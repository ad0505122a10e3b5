"""What stands on this machine for parts of AWS that bring data: sections of a local environment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from runner.model.fields import Duration
from runner.model.header import Strict


class LocalCrawler(Strict):
    """What a crawler of Glue looks at, and where it writes the tables that it finds."""

    paths: tuple[Annotated[str, Field(pattern=r"^s3://")], ...] = Field(
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


class LocalItems(Strict):
    """A DynamoDB table that functions find on this machine; it is empty at first."""

    key: str = Field(min_length=1, max_length=255, description="The partition key's attribute.")
    key_type: Literal["S", "N", "B"] = Field("S", description="Its type.")
    sort: str | None = Field(
        None, min_length=1, max_length=255, description="The sort key's attribute, if it has one."
    )
    sort_type: Literal["S", "N", "B"] = Field("S", description="Its type.")


class LocalGlueJob(Strict):
    """A script of Python that stands for a job of Glue."""

    script: str = Field(
        pattern=r"\.py$", description="The script, relative to the project; it gets --name value."
    )
    arguments: dict[str, str] = Field(
        default_factory=dict, description="Arguments that the step may replace, without dashes."
    )
    timeout: Duration = Field("1h", description="Longest run; then it is stopped, as by Glue.")


class LocalBuild(Strict):
    """A command that stands for a build of CodeBuild."""

    command: tuple[str, ...] = Field(
        min_length=1, description="Program and arguments, run in the project's folder."
    )
    environment: dict[str, str] = Field(
        default_factory=dict, description="Variables that the step may replace."
    )
    timeout: Duration = Field("1h", description="Longest build; then it is stopped.")
