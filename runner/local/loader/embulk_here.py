"""Loads by an Embulk on this machine, over files.

In: a manifest, a mart, Athena's result if there is one.  Out: what was loaded.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from runner.loads.embulk import FileRows
from runner.local.loader.embulk import load_embulk
from runner.local.loader.result_csv import write_result
from runner.local.loader.source import fresh_duckdb, open_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.loader.result import LoadResult
    from runner.local.loader.source import Connect
    from runner.local.loader.targets import MysqlTarget
    from runner.model.loads import LoadManifest


def load_embulk_here(
    manifest: LoadManifest,
    mart: MysqlTarget,
    *,
    home: Path,
    path_of: Callable[[str], str | Path],
    connect: Connect = fresh_duckdb,
    result: str | None = None,
) -> LoadResult:
    """Load by the Embulk in `home`, from Athena's `result` file or, without one, from one like it.

    What the checks warn of is in the result's warnings.
    """
    warnings: list[str] = []
    with tempfile.TemporaryDirectory(prefix="runner-embulk-") as folder:
        work = Path(folder)
        if result is None:
            result = str(work / "rows.csv")
            with open_source(manifest, path_of=path_of, connect=connect) as source:
                write_result(source, Path(result))
        found = load_embulk(
            manifest,
            mart,
            rows=FileRows(result),
            home=home,
            work=work,
            path_of=path_of,
            connect=connect,
            tell=warnings.append,
        )
    return found._replace(engine="embulk", warnings=(*found.warnings, *warnings))
