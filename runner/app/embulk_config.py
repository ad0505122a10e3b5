"""`embulk`: the configuration with which Embulk would load a table, for reading and for own use.

In: a project, a table with a `load:` header, a window that is published.  Out: the text of a YAML
file.  Types come from the table's record; secrets are placeholders, and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.app.load_plan import plan_by_hand
from runner.loads.embulk import MartAt, S3Rows, job, to_yaml
from runner.loads.published import published_job, to_liquid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

_RESULT = S3Rows("${RUNNER_RESULT_BUCKET}", "${RUNNER_RESULT}.csv")


@dataclass(frozen=True, slots=True)
class EmbulkConfig:
    """A configuration of Embulk."""

    table: str
    start: str
    end: str
    """Window of the rows; `all` and `all` for a whole table."""
    file: str
    """What such a file is called: its ending tells Embulk how to read it."""
    text: str


def embulk_config(
    root: Path,
    name: str,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    start: str | None = None,
    end: str | None = None,
    as_published: bool = False,
    now: Callable[[], datetime] | None = None,
) -> EmbulkConfig:
    """Write the configuration for a window: the newest published period if none is given.

    `as_published` gives the form of Embulk 0.9 that asks Athena.  UsageError when the table has no
    load or the window is none; RunFailed when the window is not published.
    """
    planned = plan_by_hand(
        root,
        name,
        environment=environment,
        variables=variables,
        start=start,
        end=end,
        now=now,
    )
    manifest = planned.manifest
    if as_published:
        file, text = (
            f"{manifest.key.mart_table}.yml.liquid",
            to_liquid(published_job(manifest, None)),
        )
    else:
        file = f"{manifest.key.mart_table}.yml"
        text = to_yaml(job(manifest, None, rows=_RESULT, mart=MartAt()))
    return EmbulkConfig(name, manifest.key.window_start, manifest.key.window_end, file, text)
