"""Names from paths: which table a file of sql/ writes, which workflow a file of workflows/ is.

In: paths.  Out: names, and faults for those that cannot be names (SEMANTICS 27).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.errors import Fault, Place
from runner.model.names import BACKFILL, LOAD, MAX_NAME_LENGTH, STAGE_SUFFIX, TableName, is_name
from runner.project.files import MACROS
from runner.project.reserved import RESERVED

_PATTERN = "small letters, digits and _, a letter first, at most 100 characters"


@dataclass(frozen=True, slots=True)
class Naming:
    """What the paths say."""

    tables: tuple[tuple[str, TableName], ...]
    """Path and table of every SQL file with a good name."""
    workflows: tuple[tuple[str, str], ...]
    """Path and name of every workflow file."""
    macros: tuple[str, ...]
    faults: tuple[Fault, ...]


def name_files(paths: tuple[str, ...]) -> Naming:
    """Name what each file is; names that differ in case only are one name, and so a fault."""
    tables: dict[TableName, str] = {}
    workflows: dict[str, str] = {}
    macros: list[str] = []
    faults: list[Fault] = []
    for path in paths:
        folder, _, file = path.rpartition("/")
        stem = file.rpartition(".")[0]
        if folder == MACROS or folder.startswith(f"{MACROS}/"):
            macros.append(path)
        elif path.startswith("sql/"):
            table = _table(path, folder, stem, faults)
            if table is not None and table not in tables:
                tables[table] = path
            elif table is not None:
                faults.append(_twice(path, f"table {table}", tables[table]))
        elif path.startswith("workflows/"):
            name = _workflow(path, folder, stem, faults)
            if name is not None and name not in workflows:
                workflows[name] = path
            elif name is not None:
                faults.append(_twice(path, f"workflow {name}", workflows[name]))
    return Naming(
        tuple((path, table) for table, path in tables.items()),
        tuple((path, name) for name, path in workflows.items()),
        tuple(macros),
        tuple(faults),
    )


def _table(path: str, folder: str, stem: str, faults: list[Fault]) -> TableName | None:
    parts = folder.split("/")
    if len(parts) != 2:  # noqa: PLR2004 - sql/<database>
        faults.append(
            Fault(
                Place(path),
                "misplaced-file",
                "a SQL file that is not in a folder of a database",
                "sql/<database>/<table>.sql, two levels; macros in sql/macros/",
                f"move it, for instance to sql/marts/{stem}.sql",
            )
        )
        return None
    database = parts[1]
    bad = [
        fault
        for what, name in (("database", database), ("table", stem))
        if (fault := _bad_name(path, what, name)) is not None
    ]
    faults += bad
    return None if bad else TableName(database, stem)


def _workflow(path: str, folder: str, stem: str, faults: list[Fault]) -> str | None:
    if folder != "workflows":
        faults.append(
            Fault(
                Place(path),
                "misplaced-file",
                "a workflow in a folder of workflows/",
                "workflows/<name>.yaml, one level",
                f"move it to workflows/{stem}.yaml",
            )
        )
        return None
    fault = _bad_name(path, "workflow", stem)
    if fault is not None:
        faults.append(fault)
        return None
    return stem


def _bad_name(path: str, what: str, name: str) -> Fault | None:
    if not is_name(name):
        return Fault(
            Place(path),
            "bad-name",
            f"the {what} name `{name}`",
            _PATTERN,
            f"rename it, for instance to `{_cleaned(name)}`",
        )
    if what == "database" and name.endswith(STAGE_SUFFIX):
        return Fault(
            Place(path),
            "reserved-name",
            f"the database name `{name}`",
            f"a name that does not end in {STAGE_SUFFIX}, where unfinished tables live",
            "rename the folder",
        )
    if what == "workflow" and name in (BACKFILL, LOAD):
        return Fault(
            Place(path),
            "reserved-name",
            f"the workflow name `{name}`",
            f"another name: executions of {name}s are called so",
            "rename the file",
        )
    if what != "workflow" and name in RESERVED:
        return Fault(
            Place(path),
            "reserved-name",
            f"the {what} name `{name}`, a reserved word of Athena",
            "a name that needs no quotes in any statement",
            f"rename it, for instance to `{name}_{'db' if what == 'database' else 'table'}`",
        )
    return None


def _cleaned(name: str) -> str:
    clean = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
    return (clean if clean[:1].isalpha() else f"t_{clean}")[:MAX_NAME_LENGTH].rstrip("_")


def _twice(path: str, what: str, first: str) -> Fault:
    return Fault(
        Place(path),
        "duplicate-file",
        f"a second file for {what}",
        f"one file; the other is {first}",
        "remove or rename one of the two",
    )
