"""Steps that bring data into the lake: `crawler`, `rds_export`, `glue_job`, `codebuild`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from runner.model.step import Step

Argument = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class CrawlerStep(Step):
    """Starts a crawler of Glue and waits for the end of its crawl."""

    type: Literal["crawler"] = Field(description="crawler")
    name: str = Field(
        min_length=1,
        max_length=255,
        description="The crawler, as Glue knows it; on this machine one of the environment's "
        "`crawlers`. JSONata between {% and %} in a map: {% $item %}.",
    )


class RdsExportStep(Step):
    """Exports a database of RDS to S3 as Parquet and makes tables show the new export."""

    type: Literal["rds_export"] = Field(description="rds_export")
    source: str = Field(
        min_length=1, description="Which of the environment's `rds`, where the database is named."
    )
    only: tuple[str, ...] = Field(
        (),
        description="Databases, schemas or tables to export, as RDS writes them: shop, shop.users; "
        "everything if absent.",
    )
    tables: dict[str, str] = Field(
        default_factory=dict,
        description="Tables of the catalogue that are made to show the export, and what each "
        "shows: the source's `database.table`, or `database.schema.table` of PostgreSQL.",
    )


class GlueJobStep(Step):
    """Runs a job of Glue and waits for its end."""

    type: Literal["glue_job"] = Field(description="glue_job")
    job: str = Field(
        min_length=1,
        max_length=255,
        description="The job, as Glue knows it; on this machine one of the environment's "
        "`glue_jobs`.",
    )
    arguments: dict[Argument, str] = Field(
        default_factory=dict,
        description="Arguments by name, without the dashes. {{ start }} and {{ end }} stand for "
        "the run's window; a value may be JSONata between {% and %}.",
    )


class CodeBuildStep(Step):
    """Starts a build of CodeBuild and waits for its end."""

    type: Literal["codebuild"] = Field(description="codebuild")
    project: str = Field(
        min_length=2,
        max_length=150,
        description="The build project; on this machine one of the environment's `builds`, or "
        "refused.",
    )
    environment: dict[VariableName, str] = Field(
        default_factory=dict,
        description="Variables that this build gets beside the project's, as plain text. "
        "{{ start }} and {{ end }} stand for the run's window; a value may be JSONata between "
        "{% and %}.",
    )
    version: str | None = Field(
        None,
        description="Version of the source: a branch, tag, commit or an object's version; marks "
        "and JSONata as above.",
    )
