"""Load modes that would double rows, or that need what the header lacks (SEMANTICS 37)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.model.header import Kind, LoadMode

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODE = "load-mode"
_KEYS = "merge-without-keys"
_KEPT = "merge-keeps-rows"
_APPENDING = (LoadMode.INSERT, LoadMode.INSERT_DIRECT)
_MERGING = (LoadMode.MERGE, LoadMode.MERGE_DIRECT)


def _find_mode(subject: Subject, scene: Scene) -> Iterator[Fault]:
    load = subject.table.header.load
    if load is not None and subject.table.kind in (Kind.VIEW, Kind.DDL):
        yield Fault(
            subject.places.key("load"),
            _MODE,
            f"load: of kind: {subject.table.kind.value}, which has no published files",
            "a table that is written here: ctas or insert",
            "write kind: ctas, or load a table that selects from it",
        )
        return
    if load is None or load.mode is None:
        return
    windowed = subject.table.name in scene.timed and subject.table.kind is Kind.INSERT
    wrong: tuple[str, str] | None = None
    if windowed and load.mode in _APPENDING:
        wrong = (
            "a mode that can be repeated: replace_window or merge",
            "remove the mode (replace_window is the default), or write merge with keys",
        )
    elif load.mode is LoadMode.REPLACE_WINDOW and not windowed:
        wrong = ("`replace`: the table has no windows", "remove the mode; replace is the default")
    if wrong is not None:
        kind = "a table written by windows" if windowed else "a table without windows"
        yield Fault(
            subject.places.value("load", "mode"),
            _MODE,
            f"mode: {load.mode.value} for {kind}",
            *wrong,
        )


def _find_keys(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    load = subject.table.header.load
    if load is not None and load.mode in _MERGING and not load.keys:
        yield Fault(
            subject.places.value("load", "mode"),
            _KEYS,
            f"mode: {load.mode.value} without keys",
            "`keys`: the columns that name a row",
            "add keys: [column, ...] under load",
        )


def _find_kept(subject: Subject, scene: Scene) -> Iterator[Fault]:
    load = subject.table.header.load
    if load is not None and load.mode in _MERGING and subject.table.name in scene.timed:
        yield Fault(
            subject.places.value("load", "mode"),
            _KEPT,
            f"mode: {load.mode.value} for a table written by windows",
            "that keys which vanish from a window may stay in the mart",
            "choose replace_window if they must go",
        )


RULES = (
    Rule(
        _MODE, "error", "Loading a window twice must leave the mart as loading it once.", _find_mode
    ),
    Rule(_KEYS, "error", "Without keys a merge appends every row again.", _find_keys),
    Rule(_KEPT, "warning", "A merge never deletes: keys that vanish stay in the mart.", _find_kept),
)
