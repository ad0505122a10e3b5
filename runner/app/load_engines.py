"""The two engines of a load's container: the built-in loader, and Embulk.

In: a task, its manifest, the files on the disk.  Out: what was loaded.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.app.pacing import paced
from runner.local.loader import load, open_source
from runner.local.loader.source import fresh_duckdb
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from duckdb import DuckDBPyConnection

    from runner.app.load_environment import LoadTask
    from runner.loads.embulk import Rows
    from runner.local.loader import LoadResult
    from runner.model.loads import LoadManifest

    Say = Callable[..., None]
    Warn = Callable[[str], None]

_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Folders:
    """Where things are on the ephemeral disk."""

    own: Path
    """The load's own folder; it goes at the end."""
    paths: Mapping[str, Path]
    """The published files by their URI."""

    def connect(self) -> DuckDBPyConnection:
        """Open a DuckDB that spills where there is room, and fetches nothing by itself."""
        connection = fresh_duckdb()
        connection.execute("SET temp_directory = ?", [str(self.own / "duckdb")])
        connection.execute("SET autoinstall_known_extensions = false")
        return connection


def load_by_native(
    task: LoadTask, manifest: LoadManifest, folders: Folders, *, say: Say, warn: Warn
) -> LoadResult:
    """Load by the built-in loader; rows are told every few seconds."""
    del warn

    def told(rows: int, seconds: float) -> None:
        say("loading", rows=rows, rows_per_second=round(rows / seconds))

    return load(
        manifest,
        task.target,
        path_of=folders.paths.__getitem__,
        connect=folders.connect,
        tell=paced(told, _EVERY_S),
    )


def load_by_embulk(
    task: LoadTask, manifest: LoadManifest, folders: Folders, *, say: Say, warn: Warn
) -> LoadResult:
    """Load by the image's Embulk, whose configuration stands in memory; its log is told."""
    from runner.local.loader.embulk import load_embulk  # noqa: PLC0415 - only in one image

    if task.embulk_home is None or task.secrets is None:
        raise ServiceError(
            "Load.InvalidTask",
            f"{manifest.key.table} loads by Embulk and this image has none (EMBULK_HOME, "
            "RUNNER_SECRETS); name a task definition of the image `embulk`",
        )
    secret = Path(task.secrets) / f"load-{uuid.uuid4().hex}"
    secret.mkdir(mode=0o700)
    try:
        return load_embulk(
            manifest,
            task.target,
            rows=_rows(task, manifest, folders, say),
            home=Path(task.embulk_home),
            work=secret,
            path_of=folders.paths.__getitem__,
            connect=folders.connect,
            environ=task.environ,
            tell=warn,
        )
    finally:
        _say_log(secret / "embulk.log", say)
        shutil.rmtree(secret, ignore_errors=True)


def _rows(task: LoadTask, manifest: LoadManifest, folders: Folders, say: Say) -> Rows:
    """Say where Athena's result is; write one like it where the task names none."""
    from runner.loads.embulk import FileRows, S3Rows  # noqa: PLC0415 - only in one image
    from runner.local.loader.result_csv import write_result  # noqa: PLC0415

    if task.rows_uri is not None:
        bucket, _, key = task.rows_uri.removeprefix("s3://").partition("/")
        endpoint = task.environ.get("AWS_ENDPOINT_URL_S3")
        region = task.environ.get("AWS_REGION") or task.environ.get("AWS_DEFAULT_REGION")
        # input-s3 takes one of the two.
        return S3Rows(bucket, key, region=None if endpoint else region, endpoint=endpoint)
    path = folders.own / "rows.csv"
    with open_source(
        manifest, path_of=folders.paths.__getitem__, connect=folders.connect
    ) as source:
        count = write_result(source, path)
    say("written", rows=count, bytes=path.stat().st_size)
    return FileRows(str(path))


def _say_log(path: Path, say: Say) -> None:
    if path.is_file():
        for line in path.read_text("utf-8", errors="replace").splitlines():
            say("embulk", line=line)
