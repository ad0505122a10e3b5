"""Types of fields that users write as text: durations, cron expressions, ${env:NAME}."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from runner.model.cron import EXPECTED, cron_problem
from runner.model.durations import seconds
from runner.model.refusal import RefusedValueError

_ENVIRONMENT_VALUE = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}\Z")
_LAST_PORT = 65_535
_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+\Z")


def _duration(text: str) -> str:
    try:
        seconds(text)
    except ValueError as error:
        raise RefusedValueError(
            "a whole number and a unit: s, m, h or d", "write it like 90s, 30m, 12h or 2d"
        ) from error
    return text


def _cron(text: str) -> str:
    problem = cron_problem(text)
    if problem is not None:
        raise RefusedValueError(
            f"{EXPECTED}, one of the two days a `?`; here: {problem}",
            'write it like "0 3 * * ? *" (every day at 03:00)',
        )
    return text


def _environment_value(text: str) -> str:
    if _ENVIRONMENT_VALUE.match(text) is None:
        raise RefusedValueError(
            "${env:NAME}, the name of an environment variable",
            "put the value into an environment variable and write ${env:ITS_NAME} here",
        )
    return text


def _text_or_environment(text: str) -> str:
    return _environment_value(text) if "${" in text else text


def _secret(text: str) -> str:
    if _ARN.match(text) is None:
        raise RefusedValueError(
            "the ARN of a secret in Secrets Manager",
            "write it like arn:aws:secretsmanager:<region>:<account>:secret:<name>",
        )
    return text


def _port(value: int | str) -> int | str:
    if isinstance(value, str):
        return _environment_value(value)
    if not 1 <= value <= _LAST_PORT:
        raise RefusedValueError("a port from 1 to 65535", "write the server's port, such as 3306")
    return value


Duration = Annotated[str, AfterValidator(_duration)]
Cron = Annotated[str, AfterValidator(_cron)]
EnvironmentValue = Annotated[str, AfterValidator(_environment_value)]
TextOrEnvironment = Annotated[str, AfterValidator(_text_or_environment)]
SecretArn = Annotated[str, AfterValidator(_secret)]
Port = Annotated[int | str, AfterValidator(_port)]
