"""Settings of a load that cannot be followed: told before a run, not when a load's turn comes.

The loaders refuse the same (`runner.loads.checks`, the manifest); here the header's line is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks.scene import Rule, Scene, Subject
from runner.errors import Fault
from runner.model.header import Kind, LoadMode
from runner.model.martsql import commits, count_statements, ends_transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.header import Load

_COLUMNS = "load-columns"
_STATEMENT = "load-statement"
_BEFORE = "load-before"
_REPEATED = "load-repeated"
_ROWS = "load-rows"
_FORMAT = "load-format"
_WHOLE = (LoadMode.REPLACE, LoadMode.TRUNCATE_INSERT)
_READABLE = ("parquet", "iceberg")
_STATEMENT_SHOWN = 40


def _time_columns(subject: Subject, scene: Scene) -> tuple[str, ...]:
    """Give the columns by which a table is written in windows."""
    table = subject.table
    return scene.timed.get(table.name, ()) if table.kind is Kind.INSERT else ()


def _mode(subject: Subject, scene: Scene, load: Load) -> LoadMode:
    """Apply the default mode."""
    if load.mode is not None:
        return load.mode
    return LoadMode.REPLACE_WINDOW if _time_columns(subject, scene) else LoadMode.REPLACE


def _engine(scene: Scene, load: Load) -> str:
    return load.engine or scene.loader


def _find_columns(subject: Subject, scene: Scene) -> Iterator[Fault]:
    load = subject.table.header.load
    if load is None or not load.columns:
        return
    chosen = set(load.columns)
    for index, key in enumerate(load.keys):
        if key not in chosen:
            yield Fault(
                subject.places.key("load", "keys", index),
                _COLUMNS,
                f"the key `{key}`, which `columns` leaves out",
                "every key among the columns that are loaded",
                f"add {key} to `columns`, or remove it from `keys`",
            )
    for name in load.types:
        if name not in chosen:
            yield Fault(
                subject.places.key("load", "types", name),
                _COLUMNS,
                f"a type for `{name}`, which `columns` leaves out",
                "types of columns that are loaded",
                f"add {name} to `columns`, or remove its type",
            )
    mode = _mode(subject, scene, load)
    missing = [one for one in _time_columns(subject, scene) if one not in chosen]
    if missing and mode not in _WHOLE:
        named = ", ".join(missing)
        yield Fault(
            subject.places.key("load", "columns"),
            _COLUMNS,
            f"`columns` without {named}, which tells the window's rows in the mart",
            f"the time columns among those that mode: {mode.value} loads",
            f"add {named} to `columns`, or load whole with mode: truncate_insert",
        )


def _statements(load: Load) -> Iterator[tuple[str, str]]:
    for name, text in (("before", load.before), ("after", load.after)):
        if text is not None:
            yield name, text


def _find_statement(subject: Subject, scene: Scene) -> Iterator[Fault]:
    load = subject.table.header.load
    if load is None:
        return
    ends = ends_transaction if scene.marts.get(load.mart) == "sqlite" else commits
    for name, text in _statements(load):
        place = subject.places.value("load", name)
        count = count_statements(text)
        if count != 1:
            yield Fault(
                place,
                _STATEMENT,
                f"{count or 'no'} statements under `{name}`",
                "one SQL statement",
                "join them into one, or call a procedure of the mart"
                if count
                else f"remove `{name}`, or write a statement",
            )
        elif ends(text):
            yield Fault(
                place,
                _STATEMENT,
                f"`{_shown(text)}` under `{name}`, which commits what the load has done so far",
                "a statement that takes part in the load's transaction",
                "write DELETE, INSERT or UPDATE instead, or run it outside of the load",
            )


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _STATEMENT_SHOWN else f"{line[: _STATEMENT_SHOWN - 3]}..."


def _find_before(subject: Subject, scene: Scene) -> Iterator[Fault]:
    load = subject.table.header.load
    if load is None or load.before is None or _engine(scene, load) != "embulk":
        return
    mode = _mode(subject, scene, load)
    reasons = {
        LoadMode.REPLACE: "Embulk runs none in that mode",
        LoadMode.REPLACE_WINDOW: "the DELETE of the window takes its place",
    }
    if mode in reasons:
        yield Fault(
            subject.places.key("load", "before"),
            _BEFORE,
            f"`before` with engine: embulk and mode: {mode.value}",
            f"no such statement: {reasons[mode]}",
            "remove `before`, or write engine: native",
        )


def _find_repeated(subject: Subject, scene: Scene) -> Iterator[Fault]:
    load = subject.table.header.load
    step = scene.retried.get(subject.table.name)
    if load is None or step is None or _engine(scene, load) != "embulk":
        return
    if load.mode is LoadMode.INSERT_DIRECT:
        yield Fault(
            subject.places.value("load", "mode"),
            _REPEATED,
            f"mode: {load.mode.value} with engine: embulk, and {step}",
            "a mode that can be repeated: a part that was loaded before would be there twice",
            "load with mode: truncate_insert or merge, write engine: native, or remove that retry",
        )


def _find_rows(subject: Subject, scene: Scene) -> Iterator[Fault]:
    header, load = subject.table.header, subject.table.header.load
    if load is None or load.min_rows is None:
        return
    place = subject.places.value("load", "min_rows")
    whole = not _time_columns(subject, scene) or _mode(subject, scene, load) in _WHOLE
    if load.min_rows == 0 and whole and not header.allow_empty:
        yield Fault(
            place,
            _ROWS,
            "min_rows: 0 for a load of the whole table",
            "at least 1: a load that would empty the mart's table is refused",
            "remove it; or, if the table may be empty, write allow_empty: true",
        )
    elif load.min_rows > 0 and header.allow_empty and subject.table.kind is Kind.INSERT:
        yield Fault(
            place,
            _ROWS,
            f"min_rows: {load.min_rows} of a table with allow_empty: true",
            "one of the two: allow_empty is about the rows of a load",
            "remove allow_empty, or min_rows",
        )


def _find_format(subject: Subject, scene: Scene) -> Iterator[Fault]:
    del scene
    header = subject.table.header
    written = subject.table.kind in (Kind.CTAS, Kind.INSERT)
    if header.load is not None and written and header.format not in _READABLE:
        yield Fault(
            subject.places.value("format"),
            _FORMAT,
            f"format: {header.format} of a table with `load`",
            f"one of {', '.join(_READABLE)}: the loaders read Parquet files",
            "write format: parquet, or load a table that selects from this one",
        )


RULES = (
    Rule(
        _COLUMNS,
        "error",
        "A load finds its rows again by keys and time columns, so these must be loaded too.",
        _find_columns,
    ),
    Rule(
        _STATEMENT,
        "error",
        "A statement that commits splits the load: one that breaks off leaves part of the rows.",
        _find_statement,
    ),
    Rule(
        _BEFORE,
        "error",
        "Embulk has one statement before the rows, and some modes need it or have none.",
        _find_before,
    ),
    Rule(
        _REPEATED,
        "error",
        "Embulk's insert_direct has no transaction: a repeat doubles what was loaded before.",
        _find_repeated,
    ),
    Rule(_ROWS, "error", "Two settings that contradict each other refuse every load.", _find_rows),
    Rule(_FORMAT, "error", "The loaders read Parquet; a load of other files fails.", _find_format),
)
