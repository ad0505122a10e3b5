"""Steps that bring data into the lake: `crawler`, `rds_export`, `glue_job`, `codebuild`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runner.model.step import Step


class CrawlerStep(Step):
    """Starts a crawler of Glue and waits for the end of its crawl."""

    type: Literal["crawler"] = Field(description="crawler")
    name: str = Field(
        min_length=1,
        max_length=255,
        description="The crawler, as Glue knows it; on this machine one of the environment's "
        "`crawlers`.",
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
