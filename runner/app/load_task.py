"""What runs inside the ECS task: one load, from its environment to an outcome in S3.

In: the container's environment, which names a manifest and a mart.  Out: the outcome, which is
also written beside the manifest.  The state machine passes names and addresses only; the mart's
password comes from the task definition's secrets and goes nowhere but into the connection
(SEMANTICS 32).
"""

from __future__ import annotations

import errno
import json
import shutil
import time
import traceback
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.app.load_engines import Folders, load_by_embulk, load_by_native
from runner.app.load_environment import PASSWORD, read_task
from runner.app.load_stop import Stopped, stoppable
from runner.loads.exits import exit_code
from runner.model.loads import LoadManifest, LoadOutcome, outcome_uri
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.app.load_engines import Say
    from runner.app.load_environment import LoadTask
    from runner.local.loader import LoadResult
    from runner.model.ports import Json, Objects

_MANIFEST = "RUNNER_LOAD_MANIFEST"
_SPARE = 1.1
"""Free disk asked for, in sizes of the files."""
_MORE_DISK = "raise ephemeralStorage.sizeInGiB in the task definition"
_HIDDEN = "***"
_SHORTEST_SECRET = 4
_SECRETS = (PASSWORD, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def run_load_task(
    environ: Mapping[str, str],
    *,
    objects: Objects,
    work: Path,
    tell: Callable[[Mapping[str, Json]], None],
) -> LoadOutcome:
    """Run the load that the environment asks for; gives its outcome and raises nothing.

    `work` is a folder on the ephemeral disk; nothing is left in it.  `tell` gets progress, one
    flat JSON object at a time.  SIGTERM ends the load as `Load.Stopped`, without a row.
    """
    secrets = _secrets(environ)

    def say(event: str, **facts: Json) -> None:
        tell({"event": event, **{name: _hide(fact, secrets) for name, fact in facts.items()}})

    began = time.monotonic()
    folder = work / f"load-{uuid.uuid4().hex}"
    with stoppable(folder) as stop:
        try:
            outcome = _attempt(environ, objects, folder, say)
        except Stopped as exc:  # while another end was being told
            outcome = _failure(exc, "", say)
        finally:
            stop.close()
            shutil.rmtree(folder, ignore_errors=True)
        outcome = _without(secrets, replace(outcome, seconds=_since(began)))
        return _report(outcome, environ.get(_MANIFEST, ""), objects, say)


def _attempt(environ: Mapping[str, str], objects: Objects, folder: Path, say: Say) -> LoadOutcome:
    """Load; whatever stops it becomes the outcome."""
    engine = ""
    try:
        task = read_task(environ)
        manifest = _manifest_of(task, objects)
        engine = manifest.engine
        _say_start(task, manifest, say)
        _make(folder)
        return _load(task, manifest, objects, folder=folder, say=say)
    except (Exception, Stopped) as exc:  # noqa: BLE001 - the process's edge
        return _failure(exc, engine, say)


def _failure(exc: BaseException, engine: str, say: Say) -> LoadOutcome:
    """Name what ended the load."""
    match exc:
        case Stopped():
            error = "Load.Stopped"
            cause = "the task was stopped; what it had not committed is rolled back"
        case ServiceError():
            error, cause = exc.error, exc.cause
        case OSError(errno=number) if number in _FULL:
            error = "Load.NoSpace"
            cause = f"the ephemeral disk is full ({exc}); {_MORE_DISK}"
        case _:
            error, cause = "Load.Defect", f"{type(exc).__name__}: {exc}"
            say("defect", traceback="".join(traceback.format_exception(exc)))
    return LoadOutcome("failed", engine, error=error, cause=cause)


def _manifest_of(task: LoadTask, objects: Objects) -> LoadManifest:
    try:
        value: Mapping[str, Json] = json.loads(objects.read(task.manifest_uri))
    except ValueError as exc:
        raise ServiceError(
            "Load.InvalidManifest", f"the manifest {task.manifest_uri} cannot be read: {exc}"
        ) from exc
    return LoadManifest.from_json(value)


def _make(folder: Path) -> None:
    """Make the load's own folder, for nobody else."""
    try:
        folder.mkdir(mode=0o700)
    except OSError as exc:
        raise ServiceError(
            "Load.InvalidTask", f"RUNNER_WORK is no folder to write into: {exc}"
        ) from exc


def _say_start(task: LoadTask, manifest: LoadManifest, say: Say) -> None:
    say(
        "started",
        manifest=task.manifest_uri,
        mart=task.mart,
        table=manifest.key.table,
        mart_table=manifest.key.mart_table,
        mode=manifest.mode,
        engine=manifest.engine,
        files=len(manifest.files),
        bytes=sum(file.size for file in manifest.files),
        rows=manifest.rows,
    )


def _load(
    task: LoadTask, manifest: LoadManifest, objects: Objects, *, folder: Path, say: Say
) -> LoadOutcome:
    paths = _download(manifest, objects, folder, say)
    began = time.monotonic()
    warnings: list[str] = []

    def warn(text: str) -> None:
        warnings.append(text)
        say("warning", text=text)

    engine = load_by_embulk if manifest.engine == "embulk" else load_by_native
    result = engine(task, manifest, Folders(folder, paths), say=say, warn=warn)
    _say_end(result, _since(began), say)
    return LoadOutcome(
        "skipped" if result.skipped else "loaded",
        manifest.engine,
        rows=result.rows,
        deleted=result.deleted,
        counted=result.counted,
        warnings=(*result.warnings, *warnings),
        table=result.table,
    )


def _download(manifest: LoadManifest, objects: Objects, folder: Path, say: Say) -> dict[str, Path]:
    """Bring the files onto the disk, if they fit; gives their paths by URI."""
    size = sum(file.size for file in manifest.files)
    free = shutil.disk_usage(folder).free
    if size * _SPARE > free:
        raise ServiceError(
            "Load.NoSpace",
            f"the files of {manifest.key.table} have {size} bytes and the ephemeral disk has "
            f"{free} free; {_MORE_DISK}",
        )
    paths = {
        file.uri: folder / f"{number:06d}.{manifest.format}"
        for number, file in enumerate(manifest.files)
    }
    began = time.monotonic()
    objects.download(list(paths.items()))
    say("downloaded", files=len(paths), bytes=size, seconds=_since(began))
    return paths


def _say_end(result: LoadResult, seconds: float, say: Say) -> None:
    say(
        "skipped" if result.skipped else "loaded",
        mart_table=result.table,
        rows=result.rows,
        deleted=result.deleted,
        seconds=seconds,
        rows_per_s=0 if result.skipped else round(result.rows / max(seconds, 0.001)),
    )


def _report(outcome: LoadOutcome, manifest_uri: str, objects: Objects, say: Say) -> LoadOutcome:
    """Write the outcome beside the manifest; a load whose outcome nobody can read has failed."""
    if manifest_uri:
        try:
            objects.write(outcome_uri(manifest_uri), json.dumps(outcome.to_json()).encode())
        except ServiceError as exc:
            if outcome.status != "failed":
                cause = f"the rows are in ({outcome.status}), their outcome is not: {exc.cause}"
                outcome = replace(outcome, status="failed", error=exc.error, cause=cause)
            say("unreported", error=exc.error, cause=exc.cause)
    say("ended", **outcome.to_json(), exit_code=exit_code(outcome))
    return outcome


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the texts that no line may hold, as they are and as messages would quote them."""
    values = [environ[name] for name in _SECRETS if len(environ.get(name, "")) >= _SHORTEST_SECRET]
    forms = {form for v in values for form in (v, repr(v)[1:-1], json.dumps(v)[1:-1])}
    return tuple(sorted(forms, key=len, reverse=True))


def _hide(fact: Json, secrets: tuple[str, ...]) -> Json:
    if isinstance(fact, str):
        for secret in secrets:
            fact = fact.replace(secret, _HIDDEN)
    return fact


def _without(secrets: tuple[str, ...], outcome: LoadOutcome) -> LoadOutcome:
    return replace(
        outcome,
        error=_hide(outcome.error, secrets),
        cause=_hide(outcome.cause, secrets),
        warnings=tuple(_hide(warning, secrets) for warning in outcome.warnings),
    )
