"""A process killed while it writes leaves the catalogue whole, with all that it had done."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.glue import GlueCatalog

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.no_cover  # the lines are reached by others, and children are not measured

BATCH = 50
"""Partitions of one call of the writer below."""
WRITER = """
import pathlib, sys
from runner.local.glue import GlueCatalog

path, name, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
catalog = GlueCatalog(pathlib.Path(path))
key = {"DatabaseName": "db", "TableName": name}
number = first
while True:
    print(f"begin {number}", flush=True)
    batch = [{"Values": [str(number), str(each)]} for each in range(50)]
    errors = catalog.batch_create_partition(**key, PartitionInputList=batch)["Errors"]
    assert errors == [], errors
    print(f"created {number}", flush=True)
    keys = [{"Name": "n", "Type": "int"}, {"Name": "m", "Type": "int"}]
    table = {"Name": name, "PartitionKeys": keys, "Parameters": {"number": str(number)}}
    catalog.update_table(DatabaseName="db", TableInput=table)
    print(f"updated {number}", flush=True)
    number += 1
"""
AT_A_STATEMENT = """
import os, pathlib, signal, sys
from runner.local.glue import GlueCatalog, store

path, operation, allowed = sys.argv[1], sys.argv[2], int(sys.argv[3])
catalog = GlueCatalog(pathlib.Path(path))
execute = store.Store.execute

def dying(self, sql, *values):
    global allowed
    if allowed == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    allowed -= 1
    return execute(self, sql, *values)

store.Store.execute = dying
if operation == "update":
    catalog.update_table(DatabaseName="db", TableInput={"Name": "a", "Description": "new"})
elif operation == "drop":
    catalog.delete_database(Name="db")
else:
    batch = [{"Values": ["9", str(each)]} for each in range(20)]
    catalog.batch_create_partition(DatabaseName="db", TableName="a", PartitionInputList=batch)
print("done")
"""
KEYS: Any = [{"Name": "n", "Type": "int"}, {"Name": "m", "Type": "int"}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.sqlite"
    with closing(GlueCatalog(path)) as catalog:
        catalog.create_database(DatabaseInput={"Name": "db"})
        for name in ("a", "b"):
            catalog.create_table(
                DatabaseName="db",
                TableInput={"Name": name, "PartitionKeys": KEYS, "Parameters": {"number": "-1"}},
            )
    return path


def assert_whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


class Writer:
    """A child that writes on and on, and says what it has done."""

    def __init__(self, path: Path, name: str, first: int) -> None:
        self.name, self.first = name, first
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name, str(first)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self, lines: int) -> None:
        assert self.process.stdout
        for _ in range(lines):
            self.said.append(self.process.stdout.readline().strip())

    def kill(self) -> None:
        self.process.kill()
        with self.process as killed:
            assert killed.stdout
            self.said += killed.stdout.read().splitlines()
        assert killed.returncode == -signal.SIGKILL

    def last(self, word: str) -> int:
        """Give the last number of which it said this."""
        numbers = [int(line.split()[1]) for line in self.said if line.startswith(word)]
        return max(numbers, default=self.first - 1)


def check(path: Path, writer: Writer) -> int:
    """Compare what is there with what the child said; gives the number to go on with."""
    with closing(GlueCatalog(path)) as catalog:
        found = catalog.get_table(DatabaseName="db", Name=writer.name)["Table"]
        number = int(found["Parameters"]["number"])
        assert writer.last("updated") <= number <= writer.last("created")
        assert found["VersionId"] == str(number + 1)
        groups = []
        for group in range(writer.last("begin") + 2):
            partitions = catalog.get_partitions(
                DatabaseName="db", TableName=writer.name, Expression=f"n = {group}"
            )["Partitions"]
            groups.append(len(partitions))
    made = groups.count(BATCH)
    assert groups == [BATCH] * made + [0] * (len(groups) - made)
    assert writer.last("created") < made <= writer.last("begin") + 1
    return finish(path, writer.name, made, number)


def finish(path: Path, name: str, made: int, number: int) -> int:
    """Bring the table to where its partitions are, for the next round to begin there."""
    with closing(GlueCatalog(path)) as catalog:
        for missed in range(number + 1, made):
            catalog.update_table(
                DatabaseName="db",
                TableInput={
                    "Name": name,
                    "PartitionKeys": KEYS,
                    "Parameters": {"number": str(missed)},
                },
            )
    return made


@pytest.mark.parametrize("seed", range(2))
def test_writers_killed_at_any_moment_leave_whole_batches(path: Path, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - a moment, repeatable
    firsts = {"a": 0, "b": 0}
    for _ in range(3):
        writers = [Writer(path, name, first) for name, first in firsts.items()]
        for writer in writers:
            writer.read(chance.randint(2, 12))
        for writer in writers:
            writer.kill()
        assert_whole(path)
        firsts = {writer.name: check(path, writer) for writer in writers}


@pytest.mark.parametrize(("operation", "statements"), [("update", 2), ("batch", 20), ("drop", 8)])
def test_a_write_killed_between_its_statements_is_undone(
    path: Path, operation: str, statements: int
) -> None:
    with closing(GlueCatalog(path)) as catalog:
        before = state(catalog)
        for allowed in {0, 1, statements - 1}:
            child = subprocess.run(
                [sys.executable, "-c", AT_A_STATEMENT, str(path), operation, str(allowed)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert (child.returncode, child.stdout, child.stderr) == (-signal.SIGKILL, "", "")
            assert_whole(path)
            assert state(catalog) == before
        done = subprocess.run(
            [sys.executable, "-c", AT_A_STATEMENT, str(path), operation, str(statements)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "done\n"
        assert state(catalog) != before


def state(catalog: GlueCatalog) -> object:
    databases = [each["Name"] for each in catalog.get_databases()["DatabaseList"]]
    if not databases:
        return databases
    return (
        catalog.get_tables(DatabaseName="db"),
        catalog.get_table_versions(DatabaseName="db", TableName="a"),
        catalog.get_partitions(DatabaseName="db", TableName="a"),
    )


def test_a_catalogue_of_the_first_layout_is_brought_up_to_date(path: Path) -> None:
    """The file as it was made before partitions had row ids."""
    path.unlink()
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(
            """
            CREATE TABLE databases (
                name TEXT PRIMARY KEY, input TEXT NOT NULL, created REAL NOT NULL) WITHOUT ROWID;
            CREATE TABLE tables (
                database TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
                input TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
                PRIMARY KEY (database, name)) WITHOUT ROWID;
            CREATE TABLE versions (
                database TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
                input TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
                PRIMARY KEY (database, name, version)) WITHOUT ROWID;
            CREATE TABLE partitions (
                database TEXT NOT NULL, name TEXT NOT NULL, vals TEXT NOT NULL,
                input TEXT NOT NULL, created REAL NOT NULL,
                PRIMARY KEY (database, name, vals)) WITHOUT ROWID;
            INSERT INTO databases VALUES ('db', '{"Name": "db"}', 1000.5);
            INSERT INTO tables VALUES ('db', 't', 3,
                '{"Name": "t", "PartitionKeys": [{"Name": "dt", "Type": "string"}]}', 1.0, 2.0);
            INSERT INTO partitions VALUES ('db', 't', '["2013-01-01"]',
                '{"Values": ["2013-01-01"]}', 3.0);
            """
        )
    for _ in range(2):
        with closing(GlueCatalog(path)) as catalog:
            assert catalog.get_table(DatabaseName="db", Name="t")["Table"]["VersionId"] == "3"
            found = catalog.get_partitions(
                DatabaseName="db", TableName="t", Expression="dt = '2013-01-01'"
            )["Partitions"]
            assert [each["Values"] for each in found] == [["2013-01-01"]]
            assert found[0]["CreationTime"].timestamp() == 3
