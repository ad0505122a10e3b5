from __future__ import annotations

import pytest

from runner.project.configuration import read_setting, shared_databases

HEAD = "project: p\n"
AWS = (
    '{engine: aws, region: %s, account: "%s", lake: s3://l/, results: s3://r/, database_suffix: %s}'
)
LOCAL = "{engine: local, state: %s, database_suffix: %s}"


def shared(*environments: str) -> list[str]:
    lines = "".join(f"  e{n}: {text}\n" for n, text in enumerate(environments))
    setting = read_setting(f"{HEAD}environments:\n{lines}", environment="e0", variables={})
    assert setting.config is not None
    return [str(f.place) for f in shared_databases(setting.config, ["a", "a_b"], setting.places)]


@pytest.mark.parametrize(
    ("first", "second", "places"),
    [
        (
            AWS % ("eu-west-1", "1" * 12, '""'),
            AWS % ("eu-west-1", "1" * 12, '""'),
            ["config.yaml:4:3"],
        ),
        (AWS % ("eu-west-1", "1" * 12, '""'), AWS % ("eu-west-1", "1" * 12, "_dev"), []),
        (AWS % ("eu-west-1", "1" * 12, '""'), AWS % ("eu-west-1", "2" * 12, '""'), []),
        (AWS % ("eu-west-1", "1" * 12, '""'), AWS % ("us-east-1", "1" * 12, '""'), []),
        # a + _b is the database a_b of the other environment
        (
            AWS % ("eu-west-1", "1" * 12, '""'),
            AWS % ("eu-west-1", "1" * 12, "_b"),
            ["config.yaml:4:3"],
        ),
        (LOCAL % (".runner", '""'), LOCAL % (".runner", '""'), ["config.yaml:4:3"]),
        (LOCAL % (".runner", '""'), LOCAL % (".other", '""'), []),
        (LOCAL % (".runner", '""'), AWS % ("eu-west-1", "1" * 12, '""'), []),
    ],
)
def test_a_physical_database_belongs_to_one_environment(
    first: str, second: str, places: list[str]
) -> None:
    """SEMANTICS 27."""
    assert shared(first, second) == places


CONFIG = (
    "project: p\nvars: {limit: 10, zone: x, flag: true, list: [1], none: null, ratio: 0.5}\n"
    "environments: {local: {engine: local, vars: {zone: y}}}\n"
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"limit": 10, "zone": "y", "flag": True}),
        ({"limit": "5"}, {"limit": 5}),
        ({"zone": "5"}, {"zone": "5"}),
        ({"flag": "false"}, {"flag": False}),
        ({"list": "[2, 3]"}, {"list": (2, 3)}),
        ({"none": "5"}, {"none": "5"}),
        ({"ratio": "2"}, {"ratio": 2}),
    ],
)
def test_variables_of_the_caller_win(given: dict[str, str], expected: dict[str, object]) -> None:
    """SEMANTICS 31."""
    setting = read_setting(CONFIG, environment="local", variables=given)
    assert setting.faults == ()
    assert {name: setting.variables[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"limt": "5"}, "unknown-variable"),
        ({"limit": "many"}, "wrong-type"),
        ({"limit": "true"}, "wrong-type"),
        ({"flag": "1"}, "wrong-type"),
    ],
)
def test_variables_that_do_not_fit_are_refused(given: dict[str, str], code: str) -> None:
    """SEMANTICS 31."""
    setting = read_setting(CONFIG, environment="local", variables=given)
    assert [fault.code for fault in setting.faults] == [code]
    assert str(setting.faults[0].place) == f"--var {next(iter(given))}"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("sources: {a: {}}", "bad-name", "3:11"),
        ("sources: {a.b.c: {}}", "bad-name", "3:11"),
        ("sources: {A.b: {}}", "bad-name", "3:11"),
        ("timezone: Mars/Base", "unknown-timezone", "3:11"),
        ("timezone: ../etc/passwd", "unknown-timezone", "3:11"),
    ],
)
def test_contradictions_of_the_project(text: str, code: str, place: str) -> None:
    config = f"project: p\nenvironments: {{local: {{engine: local}}}}\n{text}\n"
    (fault,) = read_setting(config, environment="local", variables={}).faults
    assert (fault.code, str(fault.place)) == (code, f"config.yaml:{place}")


MYSQL = "{main: {engine: mysql, database: d, %s}}"
SECRET = "secret: 'arn:aws:secretsmanager:eu-west-1:111111111111:secret:x-y'"


@pytest.mark.parametrize(
    ("environment", "codes"),
    [
        (f"{{engine: local, marts: {MYSQL % SECRET}}}", ["secret-in-local"]),
        (
            AWS.replace("}", ", marts: %s}")
            % ("r", "1" * 12, '""', MYSQL % "password: '${env:X}'"),
            ["password-in-aws"],
        ),
        (AWS.replace("}", ", marts: %s}") % ("r", "1" * 12, '""', MYSQL % SECRET), []),
        ("{engine: local, defer: prod}", ["unknown-environment"]),
        ("{engine: local, database_suffix: -dev}", ["bad-name"]),
    ],
)
def test_contradictions_of_an_environment(environment: str, codes: list[str]) -> None:
    """SEMANTICS 28 and 32."""
    text = f"project: p\nenvironments: {{e: {environment}}}\n"
    faults = read_setting(text, environment="e", variables={}).faults
    assert [fault.code for fault in faults] == codes


def test_an_unknown_environment_names_the_nearest() -> None:
    (fault,) = read_setting(CONFIG, environment="locale", variables={}).faults
    assert fault.code == "unknown-environment"
    assert fault.advice == "did you mean local?"
    assert fault.expected == "one of local"


def test_without_the_file_there_is_one_fault() -> None:
    (fault,) = read_setting(None, environment="local", variables={}).faults
    assert fault.code == "no-project"
