"""Makes files that already run: a first project, a new table, a new workflow, a new function.

In: a folder and names.  Out: the paths written.  Nothing that exists is ever overwritten.  The
texts are the package's own files under `templates/`, so an installed `runner` needs no checkout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import pydantic
import yaml

from runner.errors import Fault, Place, ProjectError, UsageError
from runner.model.header import Header, Kind
from runner.model.names import NAME, TableName, is_name
from runner.query.source import split_header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

CONFIG = "config.yaml"
PROJECT_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")
FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")
# A wheel leaves out files whose names begin with a dot.
_RENAMED = {"gitignore": ".gitignore"}


@dataclass(frozen=True, slots=True)
class _Upstream:
    """A table that a new one can read a window of."""

    name: str
    column: str
    projection: str
    """Its projection as YAML in one line."""


def project_name(folder_name: str) -> str:
    """Make a project's name of a folder's.

    >>> project_name("My_Platform 2")
    'my-platform-2'
    """
    words = re.findall(r"[a-z0-9]+", folder_name.lower())
    name = "-".join(words).lstrip("0123456789-")[:40].rstrip("-")
    return name or "my-platform"


def init_project(folder: Path, *, name: str) -> tuple[str, ...]:
    """Write a small project that runs at once; gives the files' paths relative to the folder.

    Raises UsageError when the name is none for a project, or a file to be written exists.
    """
    if not PROJECT_NAME.match(name):
        raise _refusal(
            str(folder),
            "bad-name",
            f"the project name {name!r}",
            "a small letter, then small letters, digits and hyphens; 40 at most",
            f"try {project_name(name)!r}",
        )
    texts = {
        path: text.replace("__PROJECT__", name) for path, text in _texts(_templates() / "init", "")
    }
    faults = [
        _exists(path) for path in texts if (folder / path).exists() or _is_blocked(folder, path)
    ]
    if faults:
        raise UsageError(faults, summary="nothing was written")
    for path, text in texts.items():
        _write(folder / path, text)
    return tuple(sorted(texts))


def new_sql(root: Path, name: str) -> Path:
    """Write a commented SQL file for `database.table` that already runs; gives its path.

    It reads a partitioned table of the project if there is one, else constant rows.  Other files
    may be broken: they are passed over.  Raises UsageError.
    """
    table = _table_name(name)
    target = _new_file(root, f"sql/{table.database}/{table.table}.sql")
    upstream = next(iter(_upstreams(root)), None)
    template = "constant.sql" if upstream is None else "windowed.sql"
    text = _template(template).replace("__TABLE__", name)
    if upstream is not None:
        text = text.replace("__UPSTREAM__", upstream.name)
        text = text.replace("__COLUMN__", upstream.column)
        text = text.replace("__PROJECTION__", upstream.projection)
    return _write(target, text)


def new_workflow(root: Path, name: str) -> Path:
    """Write a workflow of all tables and loads; gives its path.  Raises UsageError."""
    if not is_name(name):
        raise _bad_name(f"workflows/{name}.yaml", name)
    target = _new_file(root, f"workflows/{name}.yaml")
    return _write(target, _template("workflow.yaml").replace("__NAME__", name))


def new_lambda(root: Path, name: str) -> Path:
    """Write a function that a workflow's step can call; gives its path.  Raises UsageError."""
    if not FUNCTION_NAME.match(name):
        raise _bad_name(f"lambdas/{name}/handler.py", name)
    target = _new_file(root, f"lambdas/{name}/handler.py")
    return _write(target, _template("handler.py").replace("__NAME__", name))


def _templates() -> Traversable:
    return files("runner") / "templates"


def _template(name: str) -> str:
    return (_templates() / "new" / name).read_text("utf-8")


def _texts(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    """Walk a folder of templates: relative paths with forward slashes, and texts."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name == "__pycache__":
            continue
        path = prefix + _RENAMED.get(entry.name, entry.name)
        if entry.is_dir():
            yield from _texts(entry, path + "/")
        else:
            yield path, entry.read_text("utf-8")


def _upstreams(root: Path) -> Iterator[_Upstream]:
    """Give the project's tables with one date partition; `staging` first, then by name."""
    paths = sorted(
        root.glob("sql/*/*.sql"), key=lambda path: (path.parent.name != "staging", path.as_posix())
    )
    for path in paths:
        upstream = _as_upstream(path)
        if upstream is not None:
            yield upstream


def _as_upstream(path: Path) -> _Upstream | None:
    try:
        written = yaml.safe_load(split_header(path.read_text("utf-8"), file=path.name).header_yaml)
        header = Header.model_validate(written or {})
    except (ProjectError, UnicodeDecodeError, yaml.YAMLError, pydantic.ValidationError):
        return None
    columns = list(header.partition.items())
    if header.resolved_kind() is not Kind.INSERT or [c.type for _, c in columns] != ["date"]:
        return None
    settings = columns[0][1].model_dump(mode="json", exclude_none=True)
    projection = yaml.safe_dump(
        settings, default_flow_style=True, sort_keys=False, width=1000
    ).strip()
    return _Upstream(f"{path.parent.name}.{path.stem}", columns[0][0], projection)


def _table_name(name: str) -> TableName:
    try:
        return TableName.parse(name)
    except ValueError as error:
        raise _refusal(
            name,
            "bad-name",
            f"the table name {name!r}",
            "database.table, each a small letter, then small letters, digits and underscores",
            "for example marts.my_table",
        ) from error


def _new_file(root: Path, path: str) -> Path:
    if not (root / CONFIG).is_file():
        raise _refusal(
            str(root),
            "no-project",
            f"no {CONFIG} in this folder",
            "the folder of a project",
            "go to your project's folder, or make one with `runner init <folder>`",
        )
    if (root / path).exists():
        raise UsageError([_exists(path)])
    return root / path


def _write(target: Path, text: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return target


def _is_blocked(folder: Path, path: str) -> bool:
    """Tell whether a plain file stands where a folder is needed."""
    parents = [folder, *((folder / path).parents)]
    return any(parent.exists() and not parent.is_dir() for parent in parents)


def _exists(path: str) -> Fault:
    return Fault(
        Place(path),
        "file-exists",
        f"{path} is there already",
        "a file that does not exist yet",
        "choose another name or folder, or move the file away",
    )


def _bad_name(path: str, name: str) -> UsageError:
    return _refusal(
        path,
        "bad-name",
        f"the name {name!r}",
        f"a small letter, then small letters, digits and underscores ({NAME.pattern[:-2]})",
        "choose a name of that form",
    )


def _refusal(where: str, code: str, found: str, expected: str, advice: str) -> UsageError:
    return UsageError([Fault(Place(where), code, found, expected, advice)])
