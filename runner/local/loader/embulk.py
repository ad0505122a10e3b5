"""Loads by Embulk: judged before it starts, run as a process of its own, counted afterwards.

In: a manifest, a mart, Athena's result and an assembled Embulk.  Out: what was loaded, or a
ServiceError with the plain cause from Embulk's log.  The values of secrets stand in one file that
nobody else can read, which is gone when Embulk ends (SEMANTICS 32).

In the modes with a transaction the ledger's row is in it, so a load whose end nobody saw is known
afterwards.  A load with an `after` statement of the user's gets its row from here.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.loads.checks import Counted, LoadCase, judge, refusal
from runner.loads.embulk import FileRows, MartAt, embulk_mode, job
from runner.local.loader.embulk_run import START, EmbulkRun
from runner.local.loader.facts import look
from runner.local.loader.mysql_ledger import (
    claim,
    count_owned,
    ensure_ledger,
    forget,
    loaded_before,
)
from runner.local.loader.mysql_session import open_session
from runner.local.loader.mysql_shape import describe_mysql, describe_server
from runner.local.loader.result import LoadResult
from runner.local.loader.source import fresh_duckdb, open_source
from runner.local.loader.targets import resolve
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.loads.embulk import Rows
    from runner.loads.shapes import MartTable, SourceFacts
    from runner.local.loader.mysql_session import Session
    from runner.local.loader.source import Connect
    from runner.local.loader.targets import MysqlTarget
    from runner.model.loads import LoadManifest
    from runner.model.ports import Json

    Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is known before Embulk starts."""

    case: LoadCase
    before: int
    """Rows of the window (of the table) in the mart."""
    collation: str


def load_embulk(
    manifest: LoadManifest,
    target: MysqlTarget,
    *,
    rows: Rows,
    home: Path,
    work: Path,
    path_of: Callable[[str], str | Path],
    connect: Connect = fresh_duckdb,
    environ: Mapping[str, str] = os.environ,
    tell: Tell = lambda _: None,
    timeout_s: float | None = None,
) -> LoadResult:
    """Load by the Embulk in `home`; ServiceError names every reason why it must not, or did not.

    `rows` says where Athena's result is, `path_of` where the published files are, which are looked
    at.  `work` is an existing folder for the configuration, which is removed, and `embulk.log`.
    `tell` hears the warnings.
    """
    _refuse_in_vain(target, rows, home)
    with open_session(target, manifest.key.mart_table) as session:
        done = _loaded_before(session, manifest)
        if done is not None:
            return LoadResult(done, 0, skipped=True, table=manifest.key.mart_table)
        with open_source(manifest, path_of=path_of, connect=connect) as source:
            facts = look(source)
        scene = _judged(session, manifest, facts, rows=rows, target=target, tell=tell)
    run = EmbulkRun(home, work, environ, timeout_s)
    mart = _mart_at(target, scene.collation)

    with _alone(rows, work) as read:

        def write(at: MartAt) -> dict[str, Json]:
            """Write the configuration again, with the values of the secrets."""
            return job(manifest, scene.case.table, rows=read, mart=at, count=facts.rows)

        with run.configuration(write, mart=mart, ca=target.ca) as path:
            failure = run.start(path, secret=mart.password)
    with open_session(target, manifest.key.mart_table) as session:
        return _ended(session, scene, failure)


def _refuse_in_vain(target: MysqlTarget, rows: Rows, home: Path) -> None:
    """Refuse what cannot succeed, before anything is opened."""
    if not (home / START).is_file():
        raise ServiceError(
            "Load.EmbulkMissing",
            f"there is no Embulk in {home}; assemble it: assemble.sh of `runner image embulk`",
        )
    if isinstance(rows, FileRows) and not _is_there(rows.path_prefix):
        # Embulk would end well, and in some modes leave an empty table.
        raise ServiceError("Load.FileMissing", f"{rows.path_prefix}: there is no result to load")
    if target.socket is not None:
        raise ServiceError(
            "Load.Refused", "Embulk cannot reach a mart by `socket:`; write host and port"
        )


@contextmanager
def _alone(rows: Rows, work: Path) -> Iterator[Rows]:
    """Give a result in a folder of its own: Embulk reads whatever begins with a file's name.

    Athena writes <id>.csv.metadata beside <id>.csv.
    """
    source = Path(rows.path_prefix) if isinstance(rows, FileRows) else None
    if source is None or not source.is_file():
        yield rows
        return
    with tempfile.TemporaryDirectory(prefix="rows-", dir=work) as folder:
        link = Path(folder) / source.name
        try:
            os.link(source, link)
        except OSError:  # another file system
            shutil.copyfile(source, link)
        yield FileRows(str(link))


def _is_there(prefix: str) -> bool:
    path = Path(prefix)
    found = path.parent.iterdir() if path.parent.is_dir() else ()
    return any(one.name.startswith(path.name) for one in found)


def _judged(
    session: Session,
    manifest: LoadManifest,
    facts: SourceFacts,
    *,
    rows: Rows,
    target: MysqlTarget,
    tell: Tell,
) -> _Scene:
    """Make every check; errors refuse the load together, warnings are told."""
    ensure_ledger(session)
    table = describe_mysql(session, manifest.key.mart_table)
    made = job(manifest, table, rows=rows, mart=MartAt(tls=target.tls), count=facts.rows)
    case = LoadCase(manifest, table, describe_server(session), facts, "embulk", job=made)
    findings = judge(case)
    refused = refusal(case, findings)
    if refused is not None:
        raise refused
    for finding in findings:
        tell(f"{finding.check}: {finding.message}; {finding.advice}")
    return _Scene(case, _count(session, manifest, table), session.collation)


def _loaded_before(session: Session, manifest: LoadManifest) -> int | None:
    """Ask the ledger; a row about a table that is gone is removed, the load is to come again."""
    ensure_ledger(session)
    found = loaded_before(session, manifest)
    if found is None or describe_mysql(session, manifest.key.mart_table) is not None:
        return found
    forget(session, manifest)
    return None


def _count(session: Session, manifest: LoadManifest, table: MartTable | None) -> int:
    """Count the rows that the load is answerable for."""
    return 0 if table is None else count_owned(session, manifest, table.name)


def _mart_at(target: MysqlTarget, collation: str) -> MartAt:
    """Put the values of the secrets in."""
    environ = target.environ
    return MartAt(
        database=resolve(target.database, environ),
        host=resolve(target.host, environ),
        port=int(resolve(target.port, environ)),
        user=resolve(target.user, environ),
        password=resolve(target.password, environ) if target.password else "",
        tls=target.tls,
        collation=collation,
    )


def _ended(session: Session, scene: _Scene, failure: ServiceError | None) -> LoadResult:
    """See what is in the mart, whatever Embulk said."""
    case, manifest = scene.case, scene.case.manifest
    recorded = loaded_before(session, manifest) is not None
    if failure is not None and not recorded:
        raise _told(case, failure)
    table = describe_mysql(session, case.name)
    after = _count(session, manifest, table)
    counted = replace(case, counted=Counted(scene.before, after))
    wrong = refusal(counted, judge(counted, only=["rows"]))
    if wrong is not None:
        raise ServiceError(wrong.error, wrong.cause.replace("Nothing was changed.", "").strip())
    rows = case.facts.rows if case.facts is not None else after
    if not recorded:
        if table is None or not _is_recorded_here(manifest):
            raise ServiceError(
                "Load.NotReconciled",
                f"{case.name}: Embulk ended well and moved nothing: it found no rows to read",
            )
        claim(session, manifest, rows)
    deleted = scene.before if manifest.mode in _REPLACING else 0
    return LoadResult(
        rows, deleted, skipped=False, table=case.name, counted=after, engine="embulk", way="embulk"
    )


_REPLACING = ("replace", "replace_window", "truncate_insert")


def _is_recorded_here(manifest: LoadManifest) -> bool:
    """Tell whether Embulk had no room for the ledger's row."""
    return manifest.after is not None


def _told(case: LoadCase, failure: ServiceError) -> ServiceError:
    """Add what became of the mart's rows."""
    direct = embulk_mode(case.manifest, case.table) in ("insert_direct", "merge_direct")
    end = "part of the rows may be in the mart" if direct else "the mart's rows are as they were"
    return ServiceError(failure.error, f"{case.name}: {failure.cause}; {end}")
