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
