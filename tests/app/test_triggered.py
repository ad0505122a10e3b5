"""`run --object` and `--event-time`: an event is tried on this machine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.run import RunRequest, run
from runner.app.scaffold import init_project
from runner.app.triggered import Happened, input_of, window_of
from runner.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.bundle import WorkflowFacts

NOW = datetime(2024, 1, 4, 3, tzinfo=UTC)
TRIGGERS = """triggers:
  landed: {type: object, bucket: inbox, prefix: in/, suffix: .csv, period: "{year}/{month}{day}/"}
  seen: {type: object, bucket: inbox, prefix: seen/, window: previous_day}
  told: {type: event, pattern: {source: [my.app]}, window: {last: 2, unit: day, lag: 0}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("triggered")
    init_project(root, name="triggered")
    path = root / "workflows" / "daily.yaml"
    path.write_text(TRIGGERS + path.read_text())
    return root


@pytest.fixture(scope="module")
def workflow(project: Path) -> WorkflowFacts:
    return open_bundle(project).workflow("daily")


@pytest.mark.parametrize(
    ("happened", "trigger", "window"),
    [
        (Happened("s3://inbox/in/2024/0102/x.csv"), "landed", ("2024-01-02", "2024-01-02")),
        (Happened("s3://inbox/seen/x"), "seen", ("2024-01-03", "2024-01-03")),
        (Happened("s3://inbox/seen/x", "2024-01-02T01:00:00Z"), "seen", ("2024-01-01",) * 2),
        (Happened(trigger="told"), "told", ("2024-01-03", "2024-01-04")),
        (Happened(time="2024-02-01T00:00:00Z", trigger="seen"), "seen", ("2024-01-31",) * 2),
    ],
)
def test_an_event_gives_the_window_that_the_deployed_workflow_takes(
    workflow: WorkflowFacts, happened: Happened, trigger: str, window: tuple[str, str]
) -> None:
    given = input_of(workflow, happened, now=NOW)
    assert given["trigger"] == trigger
    assert window_of(workflow, given) == window


@pytest.mark.parametrize(
    ("happened", "complaint"),
    [
        (Happened("s3://inbox/other/x.csv"), "fits no trigger of daily"),
        (Happened("s3://other/in/2024/0102/x.csv"), "fits no trigger of daily"),
        (Happened("s3://inbox/in/2024/0102/x.txt"), "fits no trigger of daily"),
        (Happened(time="2024-01-01T00:00:00Z"), "fits seen and told of daily"),
        (Happened(trigger="none"), "none, which fits no trigger"),
        (Happened("s3://inbox/in/2024/x.csv"), "does not fit 'in/{year}/{month}{day}/'"),
        (Happened(time="yesterday", trigger="told"), "Invalid isoformat"),
    ],
)
def test_what_starts_nothing_is_refused(
    workflow: WorkflowFacts, happened: Happened, complaint: str
) -> None:
    with pytest.raises(UsageError) as refused:
        window_of(workflow, input_of(workflow, happened, now=NOW))
    assert complaint in str(refused.value)


def test_a_run_by_an_object_writes_its_period(project: Path) -> None:
    happened = Happened("s3://inbox/in/2024/0102/x.csv")
    result = run(RunRequest(root=project, workflow="daily", happened=happened))
    assert (result.status, result.start, result.end) == ("SUCCEEDED", "2024-01-02", "2024-01-02")
    with pytest.raises(UsageError, match="an event or a window"):
        run(RunRequest(root=project, workflow="daily", happened=happened, date="2024-01-01"))


def test_the_definition_tells_the_keeper_of_triggers_only_where_there_are_some(
    workflow: WorkflowFacts, tmp_path: Path
) -> None:
    def told(text: str) -> dict[str, object]:
        payload: dict[str, object] = json.loads(text)["States"]["begin"]["Arguments"]["Payload"]
        return payload

    assert told(workflow.definition)["triggers"] == {
        "landed": {"period": "{year}/{month}{day}/", "prefix": "in/"},
        "seen": {"last": 1, "unit": "day", "lag": 1},
        "told": {"last": 2, "unit": "day", "lag": 0},
    }
    init_project(tmp_path / "plain", name="plain")
    assert "triggers" not in told(open_bundle(tmp_path / "plain").workflow("daily").definition)
