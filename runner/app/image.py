"""A Docker build context for the image that an ECS task runs, written out whole.

In: which image, a folder, and the mart of an environment if a task definition is wanted.  Out: the
paths written.  The package's own files go along as they are, so the build needs no registry that
knows `runner`; no file names a registry's address.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import runner
from runner.app.mart_tasks import mart_faults, mart_task
from runner.errors import Fault, Place, UsageError
from runner.model.nearest import suggestion
from runner.plan.load_tasks import (
    execution_policy,
    task_definition,
    task_policy,
    trust_policy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.plan.load_tasks import LoadTask

KINDS = ("native", "embulk")
_LEFT_OUT = frozenset({"__pycache__", "templates"})
# A wheel leaves out files whose names begin with a dot.
_RENAMED = {"dockerignore": ".dockerignore"}
_EXECUTABLE = (".sh",)


@dataclass(frozen=True, slots=True)
class MartChoice:
    """The mart that a task definition is for."""

    root: Path
    environment: str
    mart: str | None
    """None: the only one."""


def write_image(
    kind: str, folder: Path, *, force: bool = False, choice: MartChoice | None = None
) -> tuple[str, ...]:
    """Write the build context; gives the files' paths relative to the folder.

    A folder that holds anything is refused without `force`; with it, files of the same names are
    written anew and what an older version left in `runner/` goes.  Raises UsageError.
    """
    if not force and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        advice = "name another folder with --to, or overwrite with --force"
        raise UsageError(
            [Fault(Place(str(folder)), "file-exists", "it is not empty", "a new folder", advice)]
        )
    texts = dict(_context(kind))
    if choice is not None:
        texts |= _deployment(kind, choice)
    for path, text in texts.items():
        _write(folder / path, text)
    _remove_strangers(folder / "runner", {folder / path for path in texts})
    return tuple(sorted(texts))


def _context(kind: str) -> Iterator[tuple[str, str]]:
    """Give every file of the context: paths and texts."""
    images = files("runner") / "templates" / "images"
    marks = {"__KIND__": kind, "__VERSION__": runner.__version__}
    for path, text in _texts(images / "common"):
        yield path, _filled(text, marks)
    for path, text in _texts(images / kind):
        own = path in {"Dockerfile", ".dockerignore"}
        yield (path, _filled(text, marks)) if own else (f"{kind}/{path}", text)
    for path, text in _texts(files("runner")):
        yield f"runner/{path}", text


def _filled(text: str, marks: dict[str, str]) -> str:
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


def _texts(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name in _LEFT_OUT:
            continue
        path = prefix + _RENAMED.get(entry.name, entry.name)
        if entry.is_dir():
            yield from _texts(entry, path + "/")
        else:
            yield path, entry.read_text("utf-8")


def _write(target: Path, text: str) -> None:
    """Write a file that a container's user can read, whatever the umask here."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8", newline="\n")
    target.chmod(0o755 if target.suffix in _EXECUTABLE else 0o644)


def _remove_strangers(folder: Path, written: set[Path]) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path not in written:
            path.unlink()


# --- the task definition --------------------------------------------------------------------------


def _deployment(kind: str, choice: MartChoice) -> dict[str, str]:
    """Write the task definition of a mart and its roles' policies."""
    task = _task(kind, choice)
    parts = {
        "task-definition.json": task_definition(task),
        "execution-role-policy.json": execution_policy(task),
        "task-role-policy.json": task_policy(task),
        "trust-policy.json": trust_policy(task),
    }
    return {name: json.dumps(part, indent=2) + "\n" for name, part in parts.items()}


def _task(kind: str, choice: MartChoice) -> LoadTask:
    from runner.app.bundle import open_bundle  # noqa: PLC0415 - only with --env

    bundle = open_bundle(choice.root, choice.environment)
    if bundle.environment["engine"] != "aws":
        raise _refusal(
            "--env",
            f"{choice.environment}, which is on this machine",
            "an environment with engine: aws",
            "name one of config.yaml",
        )
    task = mart_task(bundle, kind, _mart(bundle, choice))
    faults = mart_faults(bundle, task.mart)
    if faults:
        raise UsageError(faults)
    return task


def _mart(bundle: Bundle, choice: MartChoice) -> str:
    marts: dict[str, dict[str, Any]] = bundle.environment["marts"]
    if choice.mart is None and len(marts) == 1:
        return next(iter(marts))
    if choice.mart is None or choice.mart not in marts:
        raise _refusal(
            "--mart",
            choice.mart or f"{len(marts)} marts in {choice.environment}",
            f"one of {', '.join(marts) or 'no mart'}",
            suggestion(choice.mart or "", marts, otherwise="name the mart with --mart"),
        )
    return choice.mart


def _refusal(where: str, found: str, expected: str, advice: str) -> UsageError:
    return UsageError([Fault(Place(where), "bad-option", found, expected, advice)])
