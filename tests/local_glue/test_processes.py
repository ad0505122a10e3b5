"""One catalogue, several processes at once: no update lost, everything made once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.glue import GlueCatalog

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.no_cover  # the lines are reached by others, and children are not measured

PROCESSES = 4
UPDATES = 25
TABLES = 10
PARTITIONS = 200
CHILD = """
import json, pathlib, random, sys
from runner.local.glue import GlueCatalog, GlueError

path, seed, updates, tables, partitions = sys.argv[1], *map(int, sys.argv[2:])
chance = random.Random(seed)
print("ready", flush=True)
sys.stdin.readline()
catalog = GlueCatalog(pathlib.Path(path))
made = []

def attempt(what, call, **given):
    try:
        call(**given)
        made.append(what)
    except GlueError as error:
        assert error.code == "AlreadyExistsException", error

attempt("database", catalog.create_database, DatabaseInput={"Name": "db"})
days = [{"Name": "p", "Type": "int"}]
for name in chance.sample(range(tables), tables):
    table = {"Name": f"t{name}", "PartitionKeys": days, "Parameters": {"count": "0"}}
    attempt(f"t{name}", catalog.create_table, DatabaseName="db", TableInput=table)

refused = 0
done = 0
while done < updates:
    found = catalog.get_table(DatabaseName="db", Name="t0")["Table"]
    count = int(found["Parameters"]["count"]) + 1
    table = {"Name": "t0", "PartitionKeys": days, "Parameters": {"count": str(count)}}
    try:
        catalog.update_table(DatabaseName="db", TableInput=table, VersionId=found["VersionId"])
        done += 1
    except GlueError as error:
        assert error.code == "ConcurrentModificationException", error
        refused += 1

values = chance.sample(range(partitions), partitions)
for start in range(0, partitions, 20):
    batch = [{"Values": [str(value)]} for value in values[start : start + 20]]
    errors = catalog.batch_create_partition(
        DatabaseName="db", TableName="t1", PartitionInputList=batch
    )["Errors"]
    there = {error["PartitionValues"][0] for error in errors}
    made += [f"p{each['Values'][0]}" for each in batch if each["Values"][0] not in there]
catalog.close()
print(json.dumps({"made": made, "refused": refused}))
"""


def start(path: Path, seed: int) -> subprocess.Popen[str]:
    numbers = [str(number) for number in (seed, UPDATES, TABLES, PARTITIONS)]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), *numbers],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_together(path: Path) -> list[dict[str, Any]]:
    """Let all children open the new file at the same moment."""
    children = [start(path, seed) for seed in range(PROCESSES)]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * PROCESSES
    return [json.loads(each) for each in said]


def test_nothing_is_lost_or_made_twice(tmp_path: Path) -> None:
    outcomes = run_together(tmp_path / "catalog.sqlite")
    made = Counter(each for outcome in outcomes for each in outcome["made"])
    expected = {
        "database",
        *(f"t{n}" for n in range(TABLES)),
        *(f"p{n}" for n in range(PARTITIONS)),
    }
    assert set(made) == expected
    assert set(made.values()) == {1}
    with closing(GlueCatalog(tmp_path / "catalog.sqlite")) as catalog:
        key: Any = {"DatabaseName": "db", "TableName": "t0"}
        first = catalog.get_table_versions(**key)
        rest = catalog.get_table_versions(**key, NextToken=first["NextToken"])
        versions = first["TableVersions"] + rest["TableVersions"]
        counted = [
            (int(each["VersionId"]), int(each["Table"]["Parameters"]["count"])) for each in versions
        ]
        total = PROCESSES * UPDATES
        assert counted == [(number, number) for number in range(total, -1, -1)]
        found = catalog.get_partitions(DatabaseName="db", TableName="t1")["Partitions"]
        assert sorted(int(each["Values"][0]) for each in found) == list(range(PARTITIONS))
