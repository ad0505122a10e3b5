"""How loads ended: what is believed, what is explained, and what is planned anew."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.keeper import outcomes
from runner.keeper.faults import LoadNotReconciled
from runner.keeper.handler import dispatch
from runner.loads.exits import BUSY, EXIT_CODES, STOPPED, UNREACHABLE
from runner.model.loads import LoadOutcome, outcome_uri
from tests.support.lake import LAKE, Lake

MANIFEST = "_runner/loads/daily.r1/marts.daily.json"
EXITED = "Essential container in task exited"
STALE = {"Load.FileChanged", "Load.FileMissing", "Load.RowsDiffer", "S3.NotFound"}
"""The same manifest fails again, and its exit code says so; the next one names other files."""
HOPELESS = {"Load.MartFailed"}
"""The address, the database or the authorities' file is wrong: the settings have to be changed."""


def leave(lake: Lake, *, mode: str = "replace_window", **outcome: Any) -> str:  # noqa: ANN401 - JSON
    """Write a manifest and, if anything is said of it, the outcome of its load; give its URI."""
    key = {"mart_table": "mart_t", "table": "marts.daily"}
    lake.put(MANIFEST, json.dumps({"load_key": key, "mode": mode, "rows": 5}))
    uri = LAKE + MANIFEST
    if outcome:
        text = json.dumps(LoadOutcome(**outcome).to_json())
        lake.put(outcome_uri(uri).removeprefix(LAKE), text)
    return uri


def failed(
    lake: Lake,
    uri: str | None,
    *,
    error: str = "States.TaskFailed",
    cause: str = "",
    tries: int = 1,
    repeatable: bool = True,
) -> dict[str, Any]:
    """Ask the keeper about a failed load as the state machine does."""
    return dispatch(
        lake.keeper(),
        {
            "op": "load_failed",
            "manifest": None if uri is None else {"manifest": uri, "rows": 5, "files": 1},
            "error": error,
            "cause": cause,
            "tries": tries,
            "max_tries": 3,
            "repeatable": repeatable,
        },
    )


def task(status: int, reason: str = "", *, beside: int | None = None) -> str:
    """Write the cause of a task that ended with an exit status, as ECS does."""
    container: dict[str, Any] = {"Name": "load", "ExitCode": status}
    others = [] if beside is None else [{"Name": "log_router", "ExitCode": beside}]
    if reason:
        container["Reason"] = reason
    return json.dumps({"Containers": [container, *others], "StoppedReason": EXITED})


def test_keys_of_outcomes_are_where_a_loader_writes_them() -> None:
    uri = LAKE + MANIFEST
    assert outcomes.key_of(uri) == outcome_uri(uri)


def test_a_load_without_an_outcome_is_believed(any_lake: Lake) -> None:
    """An image of the user's own knows nothing of outcomes."""
    uri = leave(any_lake)
    assert dispatch(any_lake.keeper(), {"op": "loaded", "manifest": uri}) == {
        "rows": 5,
        "deleted": None,
        "counted": None,
        "skipped": False,
    }


def test_a_reconciled_load_says_what_it_did(any_lake: Lake) -> None:
    warnings = tuple(f"warning {number}" for number in range(7))
    uri = leave(
        any_lake,
        status="loaded",
        engine="native",
        rows=5,
        deleted=3,
        counted=5,
        seconds=1.5,
        warnings=warnings,
    )
    assert dispatch(any_lake.keeper(), {"op": "loaded", "manifest": uri}) == {
        "rows": 5,
        "deleted": 3,
        "counted": 5,
        "skipped": False,
        "engine": "native",
        "seconds": 1.5,
        "warnings": [f"warning {number}" for number in range(5)],
    }


def test_a_load_that_was_done_before_is_told_from_others(lake: Lake) -> None:
    uri = leave(lake, status="skipped", engine="native", rows=5)
    found = outcomes.confirm(lake.storage, uri)
    assert (found["skipped"], found["rows"], found["counted"]) == (True, 5, None)


@pytest.mark.parametrize(
    ("mode", "counted", "fine"),
    [
        *(("replace_window", n, n == 5) for n in (4, 5, 6)),
        *(("replace", n, n == 5) for n in (4, 5, 6)),
        *(("truncate_insert", n, n == 5) for n in (4, 5, 6)),
        *(("merge", n, n >= 5) for n in (4, 5, 6)),
        *(("merge_direct", n, n >= 5) for n in (4, 5, 6)),
        *(("insert", n, True) for n in (4, 5, 6)),
        *(("insert_direct", n, True) for n in (4, 5, 6)),
    ],
)
def test_lake_and_mart_are_compared_by_mode(
    mode: str,
    counted: int,
    lake: Lake,
    *,
    fine: bool,
) -> None:
    uri = leave(lake, mode=mode, status="loaded", engine="embulk", rows=5, counted=counted)
    if fine:
        assert outcomes.confirm(lake.storage, uri)["counted"] == counted
        return
    with pytest.raises(LoadNotReconciled, match=f"^mart_t: 5 rows were loaded, {counted} are the"):
        outcomes.confirm(lake.storage, uri)


def test_what_may_pass_agrees_with_the_exit_codes_of_the_loaders() -> None:
    """A container whose outcome was lost is judged by its exit status alone."""
    by_exit = {n for n, code in EXIT_CODES.items() if code in (BUSY, UNREACHABLE, STOPPED)}
    assert EXIT_CODES.keys() >= STALE | HOPELESS
    assert not STALE & by_exit
    assert by_exit >= HOPELESS
    passing = {
        name
        for name in EXIT_CODES
        if outcomes._PASSING.get(name) is not None  # noqa: SLF001 - the table is compared
    }
    assert passing == (by_exit - HOPELESS) | STALE


@pytest.mark.parametrize("error", sorted(EXIT_CODES))
def test_a_failed_load_is_explained_in_the_loaders_words(error: str, lake: Lake) -> None:
    uri = leave(lake, status="failed", engine="native", error=error, cause="because of x")
    found = failed(lake, uri, cause=task(EXIT_CODES[error], "cut off"))
    passing = error in STALE or (
        EXIT_CODES[error] in (BUSY, UNREACHABLE, STOPPED) and error not in HOPELESS
    )
    assert found["message"] == f"{error}: because of x"
    assert found["retry"] is passing
    advice = "runner redrive" if passing else "repeat with `runner load`"
    assert advice in found["advice"]
    assert found["wait"] == (0 if error in STALE else 5)


@pytest.mark.parametrize(
    ("status", "retry"),
    [(65, False), (70, False), (78, False), (69, True), (75, True), (137, True), (143, True)],
)
def test_a_task_that_left_no_outcome_is_judged_by_its_exit_status(
    status: int, lake: Lake, *, retry: bool
) -> None:
    found = failed(lake, leave(lake), cause=task(status))
    assert found["message"] == f"{EXITED}; load: exit status {status}"
    assert found["retry"] is retry
    assert ("`runner load`" in found["advice"]) is not retry


def test_a_sidecar_does_not_hide_how_the_load_ended(lake: Lake) -> None:
    found = failed(lake, leave(lake), cause=task(65, beside=1))
    assert found["message"] == f"{EXITED}; load: exit status 65; log_router: exit status 1"
    assert found["retry"] is False
    assert failed(lake, leave(lake), cause=task(75, beside=65))["retry"] is True


def test_a_task_without_memory_is_not_started_again_as_it_was(lake: Lake) -> None:
    found = failed(lake, leave(lake), cause=task(137, "OutOfMemoryError: container killed"))
    assert found["retry"] is False
    assert found["advice"] == "Give the task more memory, or narrow the window."


@pytest.mark.parametrize("status", ["loaded", "skipped"])
def test_an_outcome_that_is_no_failure_does_not_explain_one(status: str, lake: Lake) -> None:
    uri = leave(lake, status=status, engine="native", rows=5, counted=4)
    found = failed(lake, uri, error="LoadNotReconciled", cause='{"errorMessage": "5 and 4"}')
    assert found == {
        "retry": False,
        "wait": 5,
        "message": "LoadNotReconciled: 5 and 4",
        "advice": "Look for a second writer of the mart's table, or a trigger.",
    }


def test_a_load_that_was_never_planned_is_explained_by_what_was_caught(lake: Lake) -> None:
    found = failed(lake, None, error="NothingPublished", cause='{"errorMessage": "no"}')
    assert (found["retry"], found["message"]) == (False, "NothingPublished: no")


@pytest.mark.parametrize(
    ("tries", "repeatable", "retry", "wait"),
    [(1, True, True, 5), (2, True, True, 10), (3, True, False, 20), (1, False, False, 5)],
)
def test_a_load_is_tried_so_often_and_only_if_a_repeat_is_harmless(
    tries: int, wait: int, lake: Lake, *, repeatable: bool, retry: bool
) -> None:
    uri = leave(lake, status="failed", engine="embulk", error="Load.MartBusy", cause="deadlock")
    found = failed(lake, uri, tries=tries, repeatable=repeatable)
    assert (found["retry"], found["wait"]) == (retry, wait)
    assert found["message"] == "Load.MartBusy: deadlock"
    assert found["advice"] == "When the cause is gone, continue with `runner redrive`."
