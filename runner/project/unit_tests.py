"""The analyst's unit tests: YAML files under tests/sql/, read with the places of everything.

In: the folder of a project.  Out: `UnitTestFile`s, each of one table, and the faults of all files.
What the rows mean among the project's tables is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault, Place
from runner.model.places import Places
from runner.model.unit_test import UnitTest
from runner.project.validate import validate
from runner.project.yamltext import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "tests/sql"
_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Case:
    """One named test."""

    name: str
    test: UnitTest
    places: Places
    """Of the keys and values of the test itself."""


@dataclass(frozen=True, slots=True)
class UnitTestFile:
    """The tests of one table."""

    file: str
    table: str
    """`database.table`, as the path says it."""
    cases: tuple[Case, ...]


def read_unit_tests(root: Path) -> tuple[tuple[UnitTestFile, ...], tuple[Fault, ...]]:
    """Read every file of unit tests, in the order of their paths."""
    found: list[UnitTestFile] = []
    faults: list[Fault] = []
    for path in sorted((root / FOLDER).rglob("*")):
        if path.suffix in _ENDINGS and path.is_file():
            file = path.relative_to(root).as_posix()
            read, wrong = _read(path, file)
            found.append(read)
            faults += wrong
    return tuple(found), tuple(faults)


def table_of(file: str) -> str:
    """Name the table of a file by its path.

    >>> table_of("tests/sql/marts.daily.yaml"), table_of("tests/sql/marts/daily.yaml")
    ('marts.daily', 'marts.daily')
    """
    return file.removeprefix(f"{FOLDER}/").rpartition(".")[0].replace("/", ".")


def _read(path: Path, file: str) -> tuple[UnitTestFile, list[Fault]]:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        wrong = Fault(
            Place(file), "not-utf8", "bytes that are no text", "text in UTF-8", "save it as UTF-8"
        )
        return UnitTestFile(file, table_of(file), ()), [wrong]
    yaml = read_yaml(text, file=file)
    faults = list(yaml.faults)
    cases: list[Case] = []
    if isinstance(yaml.data, dict):
        for name, data in yaml.data.items():
            places = _below(yaml.places, name)
            test, found = validate(UnitTest, data, places)
            faults += found
            if test is not None:
                cases.append(Case(name, test, places))
    elif not faults:
        faults.append(_no_cases(yaml.places))
    return UnitTestFile(file, table_of(file), tuple(cases)), faults


def _below(places: Places, name: str) -> Places:
    """Give the places below a key, as if it were the top."""
    start = places.key(name)
    return Places(
        places.file,
        (start.line, start.column),
        {path[1:]: at for path, at in places.keys.items() if path[0] == name and path[1:]},
        {path[1:]: at for path, at in places.values.items() if path[:1] == (name,) and path[1:]},
    )


def _no_cases(places: Places) -> Fault:
    return Fault(
        places.key(),
        "wrong-type",
        "a file without named tests",
        "`name of a test:` with `given:` and `expect:` below it",
        "name the test, and indent its keys below the name",
    )
