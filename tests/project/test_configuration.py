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


def deployed(name: str, more: str = "", project: str = "shop") -> list[tuple[str, str]]:
    text = (
        f"project: {project}\nenvironments:\n  {name}: {{engine: aws, region: eu-west-1, "
        f'account: "123456789012", lake: s3://l/, results: s3://r/{more}}}\n'
    )
    setting = read_setting(text, environment=name.strip('"'), variables={})
    return [(fault.code, fault.found) for fault in setting.faults]


@pytest.mark.parametrize("name", ["prod", "prod-eu", "2", "e" * 49])
def test_environments_that_a_stack_can_be_named_after(name: str) -> None:
    assert deployed(f'"{name}"') == []


@pytest.mark.parametrize("name", ["prod_eu", "Prod", "prod-", "prod--eu", "prod.eu", "-x", "é"])
def test_environments_that_no_stack_can_be_named_after(name: str) -> None:
    """CloudFormation takes no _, and a repository of ECR neither capitals nor two hyphens."""
    assert deployed(f'"{name}"') == [("bad-name", f"shop-{name}, as the stack is called on AWS")]


def test_an_environment_on_this_machine_may_be_called_otherwise() -> None:
    text = "project: shop\nenvironments: {local_Mysql: {engine: local}}\n"
    assert read_setting(text, environment="local_Mysql", variables={}).faults == ()


def test_names_of_environments_leave_room_for_what_is_named_after_them() -> None:
    name = "e" * 50
    found = f"shop-{name}, as the stack is called on AWS: 55 characters"
    assert deployed(name) == [("bad-name", found)]
    assert deployed("development", project="p" * 40) == []
    assert [code for code, _ in deployed("prod", project="p-")] == ["bad-name"]


def test_tasks_are_named_after_marts() -> None:
    mart = "{engine: mysql, database: m}"
    assert deployed("prod", f", marts: {{main: {mart}, Second_2: {mart}}}") == []
    assert deployed("prod", f", marts: {{my mart: {mart}}}") == [("bad-name", "the mart `my mart`")]


@pytest.mark.parametrize(
    "tags",
    [
        "{team: data, cost-centre: 'a/b=c:1 @x'}",
        "{équipe: données}",
        "{owner: '${env:USER}'}",
        "{" + ", ".join(f"t{n}: x" for n in range(48)) + "}",
    ],
)
def test_tags_that_aws_takes(tags: str) -> None:
    assert deployed("prod", f", tags: {tags}") == []


@pytest.mark.parametrize(
    "tags",
    [
        "{'aws:team': data}",
        "{'runner:project': other}",
        "{Team: a, team: b}",
        "{'': a}",
        "{a: 'x;y'}",
        f"{{{'k' * 129}: a}}",
        f"{{a: {'v' * 257}}}",
        "{" + ", ".join(f"t{n}: x" for n in range(49)) + "}",
    ],
)
def test_tags_that_aws_refuses(tags: str) -> None:
    """IAM's keys are the same in any case; the others' limits are those of every service."""
    assert [code for code, _ in deployed("prod", f", tags: {tags}")] == ["wrong-value"]


def test_a_key_is_named_itself() -> None:
    """A permission on the ARN of an alias allows nothing."""
    arn = "arn:aws:kms:eu-west-1:123456789012"
    assert deployed("prod", f', keys: {{data: "{arn}:key/1"}}') == []
    assert deployed("prod", f', keys: {{data: "{arn}:alias/lake"}}') != []
