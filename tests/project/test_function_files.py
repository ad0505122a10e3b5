from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.local.athena.javatime import strftime_pattern
from runner.model.stream import TIME_PARTS
from runner.project import inspect_project, load_project
from tests.project.projects import good_project, write_files

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/api-AbCdEf"


def faults_of(root: Path) -> list[str]:
    return [f"{fault.place} {fault.code}" for fault in inspect_project(root).faults]


def test_a_function_without_settings_has_the_defaults(tmp_path: Path) -> None:
    root = write_files(good_project(tmp_path), {"lambdas/tell/handler.py": ""})
    named = {one.name: one.settings for one in load_project(root).functions}
    assert (named["tell"].memory, named["tell"].timeout) == (512, "15m")
    assert (named["tell"].runtime, named["tell"].architecture) == ("python3.12", "x86_64")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("memory: 3008", []),
        ("memory: 127", ["2:9 wrong-value"]),
        ("memory: 512MB", ["2:9 wrong-type"]),
        ("memry: 512", ["2:1 unknown-key"]),
        ("timeout: 15m", []),
        ("timeout: 16m", ["2:10 wrong-value"]),
        ("runtime: python3.10", ["2:10 wrong-value"]),
        ("architecture: arm", ["2:15 wrong-value"]),
        ("environment: {LANGUAGE: en, X1: a}", []),
        ("environment: {1X: a}", ["2:15 bad-variable"]),
        ("environment: {AWS_REGION: a}", ["2:15 bad-variable"]),
        ("environment: {AWS_LAMBDA_EXEC_WRAPPER: a}", ["2:15 bad-variable"]),
        ("environment: {DB_PASSWORD: hunter2}", ["2:28 plain-secret"]),
        ("environment: {API_KEY: hunter2}", ["2:24 plain-secret"]),
        ("environment: {TOKENS_TABLE: tokens}", []),
        (f"environment: {{LONG: {'x' * 4093}}}", ["2:1 bad-variable"]),
        (f"environment: {{LONG: {'x' * 4092}}}", []),
        (f'secrets: {{API_KEY: "{ARN}"}}', []),
        ("secrets: {API_KEY: hunter2}", ["2:20 plain-secret"]),
        ("secrets: {API_KEY: 12345}", ["2:20 wrong-type"]),
        (f'secrets: {{AWS_REGION: "{ARN}"}}', ["2:11 bad-variable"]),
        ('permissions: [{actions: [sqs:SendMessage], resources: ["*"]}]', []),
        ('permissions: [{actions: [s3.GetObject, "*"], resources: ["*"]}]', ["2:26 wrong-value"]),
        ("events: {e: {type: executions, status: [FAILD]}}", ["2:41 wrong-value"]),
        ("permissions: [{actions: [], resources: []}]", ["2:25 wrong-value", "2:40 wrong-value"]),
        ("{", ["2:1 yaml-syntax"]),
    ],
)
def test_what_may_stand_there(line: str, expected: list[str], tmp_path: Path) -> None:
    text = f"description: Tells.\n{line}\n"
    files = {"lambdas/tell/handler.py": "", "lambdas/tell/function.yaml": text}
    root = write_files(good_project(tmp_path), files)
    found = inspect_project(root).faults
    assert [f"{f.place} {f.code}" for f in found] == [
        f"lambdas/tell/function.yaml:{one}" for one in expected
    ]
    assert "hunter2" not in str(found)
    assert "12345" not in str(found)


CLICKS = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
ORDERS = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
LABEL = "stream/2024-05-06T00:00:00.000"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (f'{{type: kinesis, stream: "{CLICKS}", window: 5m}}', []),
        (f'{{type: dynamodb, stream: "{ORDERS}/{LABEL}"}}', []),
        (f'{{type: kinesis, stream: "{CLICKS}", window: 6m}}', ["2:94 wrong-value"]),
        (f'{{type: kinesis, stream: "{ORDERS}/{LABEL}"}}', ["2:30 wrong-value"]),
        (f'{{type: dynamodb, stream: "{CLICKS}"}}', ["2:31 wrong-value"]),
        (f'{{type: dynamodb, stream: "{ORDERS}"}}', ["2:31 wrong-value"]),
    ],
)
def test_a_mapping_is_one_that_lambda_takes(
    event: str, expected: list[str], tmp_path: Path
) -> None:
    files = {
        "lambdas/tell/handler.py": "",
        "lambdas/tell/function.yaml": f"events:\n  e: {event}\n",
    }
    root = write_files(good_project(tmp_path), files)
    assert faults_of(root) == [f"lambdas/tell/function.yaml:{one}" for one in expected]


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("/aws/lambda/shop-local-tell", ["lambdas/tell/function.yaml:2:26 wrong-value"]),
        ("/aws/lambda/shop-local-other", []),
    ],
)
def test_a_function_is_not_called_with_its_own_log(
    group: str, expected: list[str], tmp_path: Path
) -> None:
    """Each call would write what calls it again."""
    files = {
        "lambdas/tell/handler.py": "",
        "lambdas/tell/function.yaml": f"events:\n  e: {{type: logs, group: {group}}}\n",
    }
    assert faults_of(write_files(good_project(tmp_path), files)) == expected


def test_a_variable_stands_once(tmp_path: Path) -> None:
    text = f'environment: {{API: x}}\nsecrets: {{API: "{ARN}"}}\n'
    files = {"lambdas/tell/handler.py": "", "lambdas/tell/function.yaml": text}
    root = write_files(good_project(tmp_path), files)
    assert faults_of(root) == ["lambdas/tell/function.yaml:1:15 bad-variable"]


def test_folders_that_cannot_be_functions(tmp_path: Path) -> None:
    files = {
        "lambdas/keeper/handler.py": "",
        "lambdas/builtin-x/handler.py": "",
        "lambdas/my.function/handler.py": "",
        f"lambdas/{'f' * 64}/handler.py": "",
        "lambdas/empty/function.yaml": "memory: 512\n",
        "lambdas/tell/handler.py": "",
        "lambdas/tell/function.yml": "memory: 512\n",
    }
    root = write_files(good_project(tmp_path), files)
    assert faults_of(root) == [
        "lambdas/builtin-x/handler.py reserved-name",
        "lambdas/empty/function.yaml unknown-function",
        f"lambdas/{'f' * 64}/handler.py bad-name",
        "lambdas/keeper/handler.py reserved-name",
        "lambdas/my.function/handler.py bad-name",
        "lambdas/tell/function.yml misplaced-file",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("environment: {THRESHOLD: '3', WINDOW: 5m, PATTERN: x, NO_PROXY: x}", []),
        ("environment: {TRESHOLD: '3'}", ["2:15 bad-variable"]),
        (f"secrets: {{SECRETS_ARN: '{ARN}'}}", ["2:11 bad-variable"]),
    ],
)
def test_a_misspelled_variable_of_a_bundled_function_is_found(
    line: str, expected: list[str], tmp_path: Path
) -> None:
    files = {"lambdas/tell/function.yaml": f"uses: builtin:logs_alarm\n{line}\n"}
    root = write_files(good_project(tmp_path), files)
    assert faults_of(root) == [f"lambdas/tell/function.yaml:{one}" for one in expected]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("a/!{timestamp:yyyy-MM-dd'T'HH}/", None),
        ("a/!{timestamp:YYYY-mm-dd}/", "YYYY"),
        ("a/!{timestamp:yyyy-MM-DD}/", "DD"),
    ],
)
def test_letters_of_a_timestamp_are_looked_at(
    prefix: str, expected: str | None, tmp_path: Path
) -> None:
    root = good_project(tmp_path)
    config = root / "config.yaml"
    said = f'streams:\n  events: {{prefix: "{prefix}"}}\n  more: {{prefix: a, errors: '
    said += f'"!{{firehose:error-output-type}}{prefix}"}}\n'
    config.write_text(config.read_text() + said)
    found = [fault for fault in inspect_project(root).faults if "here:" in fault.expected]
    assert [fault.code for fault in found] == ["wrong-value"] * (2 if expected else 0)
    assert all(fault.expected.endswith(f"here: {expected}") for fault in found)


def test_every_part_of_a_timestamp_is_written_on_this_machine() -> None:
    for part in TIME_PARTS:
        assert strftime_pattern(part).startswith("%")


def test_places_of_a_local_environment_are_in_s3(tmp_path: Path) -> None:
    root = good_project(tmp_path)
    config = root / "config.yaml"
    here = "    engine: local\n"
    wrong = f"{here}    streams_to: app\n    crawlers: {{c: {{paths: [app/], database: d}}}}\n"
    config.write_text(config.read_text().replace(here, wrong, 1))
    assert [f.expected for f in inspect_project(root).faults] == [
        "a location that begins with s3://"
    ] * 2
