"""Pains of those who run a failed write again: rows twice, or a path that exists already.

The numbers are those of the list in docs/how-to/prove-it.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.machine import Throttle, Unknown, When
from tests.pains.scene import (
    DAYS,
    EVERYTHING,
    ROWS,
    daily,
    drop_in,
    failed_query,
    files,
    sent,
    strike,
    whole,
)
from tests.semantics.little import NOW, go, read, records, statements, statuses

if TYPE_CHECKING:
    from pathlib import Path


def test_pain_01_files_that_the_catalogue_does_not_know_are_not_read_beside_new_ones(
    tmp_path: Path,
) -> None:
    """dbt-adapters#1895: the delete list came from Glue, so files stayed and a re-run doubled."""
    root = daily(tmp_path)
    go(root, *DAYS)
    drop_in(root, "left-by-a-failed-insert.parquet")
    assert len(read(root, EVERYTHING)) > len(ROWS)  # the symptom, as it is without a re-run
    assert go(root, *DAYS).status == "SUCCEEDED"
    assert read(root, EVERYTHING) == list(ROWS)
    assert len(files(root)) == len(DAYS)


def test_pain_01_a_table_that_the_catalogue_lost_is_not_doubled(tmp_path: Path) -> None:
    """The same with the whole entry gone: what lies at the table's place is replaced."""
    root = daily(tmp_path)
    go(root, *DAYS)
    catalog = open_places(root, open_bundle(root), now=lambda: NOW).catalog()
    catalog.delete_table(DatabaseName="marts", Name="x")
    catalog.close()
    assert len(files(root)) == len(DAYS)
    assert go(root, *DAYS).status == "SUCCEEDED"
    assert read(root, EVERYTHING) == list(ROWS)


@pytest.mark.parametrize(("lay", "verb"), [(daily, "insert"), (whole, "write")])
def test_pain_02_a_query_that_died_half_way_is_tried_again_in_a_place_of_its_own(
    lay: object, verb: str, tmp_path: Path
) -> None:
    """dbt-adapters#455: HIVE_PATH_ALREADY_EXISTS, for the failed query had left files.

    dbt-adapters#1739 (pain 9): a retry replayed the SQL with the same location, five times.
    """
    root = lay(tmp_path)  # type: ignore[operator]  # one of the two
    lost = failed_query("GENERIC_INTERNAL_ERROR: a worker node went away")
    result = go(root, *DAYS, faults=strike(f"marts.x {verb}", lost))
    assert statuses(result) == {"marts.x": "published"}
    assert read(root, "SELECT id, dt FROM marts.x WHERE dt > '' ORDER BY id") == list(ROWS)
    beginning = "INSERT INTO" if verb == "insert" else "CREATE TABLE"
    first, second = [text.partition("\n")[0] for text in statements(root, beginning)][-2:]
    assert first != second, "both attempts would write to one place"


def test_pain_03_04_a_table_written_whole_is_written_again_and_again(tmp_path: Path) -> None:
    """dbt-athena#58, Tomme/dbt-athena#9: the second CTAS found its static location occupied."""
    root = whole(tmp_path)
    for _ in range(3):
        assert go(root, *DAYS).status == "SUCCEEDED"
        assert read(root, EVERYTHING) == list(ROWS)
    written = [one["Query"] for one in sent(root, "CREATE TABLE")]
    places = [re.findall("external_location = '([^']+)'", text) for text in written]
    assert len(places) == 3
    assert len({place for (place,) in places}) == 3


def test_pain_of_tokens_a_submission_without_an_answer_starts_no_second_query(
    tmp_path: Path,
) -> None:
    """airflow PR#72419, athena-express#37: without a token a lost answer ran a query twice."""
    root = daily(tmp_path)
    assert go(root, *DAYS, faults=strike("marts.x insert", Unknown())).status == "SUCCEEDED"
    first, again = statements(root, "INSERT INTO")
    assert first == again
    assert len(sent(root, "INSERT INTO")) == 1
    assert read(root, EVERYTHING) == list(ROWS)


def test_pain_of_tokens_a_failed_query_is_not_answered_from_memory(tmp_path: Path) -> None:
    """airflow PR#69625: a fixed token replayed the failed run for ever."""
    root = daily(tmp_path)
    lost = failed_query("GENERIC_INTERNAL_ERROR: a worker node went away")
    assert go(root, *DAYS, faults=strike("marts.x insert", lost)).status == "SUCCEEDED"
    assert len(sent(root, "INSERT INTO")) == 2


def test_pain_18_a_throttled_submission_is_sent_again(tmp_path: Path) -> None:
    """aws-sdk-pandas#465, #2951: TooManyRequestsException ended the whole job."""
    root = daily(tmp_path)
    faults = strike("marts.x insert", Throttle(), When.BEFORE)
    assert go(root, *DAYS, faults=faults).status == "SUCCEEDED"
    assert records(root, "marts.x") == {DAYS[0]: 2, DAYS[1]: 1}
