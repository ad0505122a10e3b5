from __future__ import annotations

import pytest

from runner.model.config import Config
from runner.model.header import Header
from runner.model.workflow import Workflow
from runner.project.validate import validate
from runner.project.yamltext import read_yaml

LOCAL = "project: p\nenvironments: {local: {engine: local}}\n"


def faults(model: type[Config | Header | Workflow], text: str) -> list[tuple[str, str, str, str]]:
    yaml = read_yaml(text, file="f")
    _, found = validate(model, yaml.data, yaml.places)
    ordered = sorted((*yaml.faults, *found))
    return [
        (str(fault.place).removeprefix("f:"), fault.code, fault.found, fault.advice)
        for fault in ordered
    ]


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        (
            Header,
            "tests:\n  - uniqe: [a]\n",
            ("2:5", "unknown-key", "the key `uniqe`", "did you mean unique?"),
        ),
        (
            Header,
            "timeout: 10\n",
            ("1:10", "wrong-type", "the number 10 for `timeout`", 'quote it: "10"'),
        ),
        (
            Header,
            "tags: daily\n",
            ("1:7", "wrong-type", 'the text "daily" for `tags`', "write it as a list: [daily]"),
        ),
        (
            Header,
            "load:\n",
            None,
        ),
        (
            Header,
            "backfill: {}\n",
            ("1:1", "missing-key", "no `from` in `backfill`", "add the line `from: ...`"),
        ),
        (
            Header,
            "- a\n",
            ("1:1", "wrong-type", "a list", "write its keys below it, indented, as `key: value`"),
        ),
        (
            Workflow,
            "steps: {}\n",
            ("1:8", "wrong-value", "0 values for `steps`", "choose a value within the limit"),
        ),
        (
            Workflow,
            "steps: {a: {duration: 5m}}\n",
            ("1:9", "missing-key", "no `type` in `a`", "add the line `type: ...`"),
        ),
        (
            Workflow,
            'schedule: {cron: "0 3 * * ? *", window: {last: 0}}\nsteps: {a: {type: tables}}\n',
            ("1:48", "wrong-value", "the number 0 for `last`", "choose a value within the limit"),
        ),
        (
            Workflow,
            'schedule: {cron: "0 3 * * ? *", window: previus_day}\nsteps: {a: {type: tables}}\n',
            ("1:41", "wrong-value", "`window: previus_day`", "did you mean previous_day?"),
        ),
        (
            Config,
            f"{LOCAL}vars: {{a: {{b: 1}}}}\n",
            (
                "3:11",
                "wrong-type",
                "a mapping for `a`",
                "write the value in the expected form",
            ),
        ),
        (
            Config,
            f"{LOCAL}defaults: {{retry: {{max_attempts: true}}}}\n",
            (
                "3:34",
                "wrong-type",
                "true for `max_attempts`",
                "write the value in the expected form",
            ),
        ),
    ],
)
def test_each_mistake_is_said_once_where_it_stands(
    model: type[Config | Header | Workflow], text: str, expected: tuple[str, str, str, str] | None
) -> None:
    assert faults(model, text) == ([] if expected is None else [expected])


@pytest.mark.parametrize("value", ["hunter2", "12345", "[hunter2]", "'${env:X}y'", "{a: hunter2}"])
def test_a_plain_password_is_refused_and_never_shown(value: str) -> None:
    """SEMANTICS 32."""
    text = (
        "project: p\nenvironments:\n  local:\n    engine: local\n    marts:\n"
        f"      main: {{engine: mysql, database: d, password: {value}}}\n"
    )
    yaml = read_yaml(text, file="f")
    config, found = validate(Config, yaml.data, yaml.places)
    assert config is None
    assert len(found) == 1
    assert "hunter2" not in str(found[0])
    assert "12345" not in str(found[0])
    assert "${env:ITS_NAME}" in found[0].advice


def test_a_value_of_the_environment_is_kept_as_it_stands() -> None:
    """SEMANTICS 32: resolved when connecting, not when loading."""
    text = LOCAL.replace(
        "{engine: local}",
        "{engine: local, marts: {m: {engine: mysql, database: d, "
        'password: "${env:P}", port: "${env:N}"}}}',
    )
    yaml = read_yaml(text, file="f")
    config, found = validate(Config, yaml.data, yaml.places)
    assert found == ()
    assert config is not None
    mart = config.environments["local"].marts["m"]
    assert mart.engine == "mysql"
    assert (mart.password, mart.port) == ("${env:P}", "${env:N}")
