"""Types of fields that users write as text: durations, cron expressions, ${env:NAME}."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from runner.model.cron import EXPECTED, cron_problem
from runner.model.durations import seconds
from runner.model.refusal import RefusedValueError

WHOLE_REFERENCE = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}\Z")
_REFERENCE = re.compile(r"\$\{(env|ssm):([^{}$]+)\}")
_REFERENCED = {
    "env": re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z"),
    "ssm": re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*\Z"),
}
_LAST_PORT = 65_535
_SIZE = re.compile(r"(\d+)\s*(MB|GB|TB)\Z")
_UNITS = {"MB": 1000**2, "GB": 1000**3, "TB": 1000**4}
_LEAST_SCAN = 10 * 1000**2
"""Athena's least limit of a workgroup (BytesScannedCutoffPerQuery)."""
_KEY_COLUMN = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){2}\Z")
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
    if WHOLE_REFERENCE.match(text) is None:
        raise RefusedValueError(
            "${env:NAME}, the name of an environment variable",
            "put the value into an environment variable and write ${env:ITS_NAME} here",
        )
    return text


def _secret(text: str) -> str:
    if "${" not in _resolved(text) and _ARN.match(text) is None:
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


def references(text: str) -> tuple[tuple[str, str], ...]:
    """List what a value takes from elsewhere, as (`env` or `ssm`, name).

    >>> references("s3://${ssm:/flights/bucket}/${env:USER}/")
    (('ssm', '/flights/bucket'), ('env', 'USER'))
    """
    return tuple((kind, name) for kind, name in _REFERENCE.findall(text))


def _resolved(text: str) -> str:
    found = references(text)
    good = all(_REFERENCED[kind].match(name) for kind, name in found)
    if not good or _REFERENCE.sub("", text).count("${"):
        raise RefusedValueError(
            "text with ${env:NAME} or ${ssm:/path/of/parameter} in it, or plain text",
            "name an environment variable or a parameter of Systems Manager",
        )
    return text


def size_bytes(text: str) -> int:
    """Give the bytes of a size, in the decimal units that Athena bills by.

    >>> size_bytes("500GB")
    500000000000
    """
    found = _SIZE.match(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * _UNITS[found[2]]


KEY_ADVICE = "put the key into the one row of a table, and name its column: database.table.column"


def _key_column(text: str) -> str:
    if _KEY_COLUMN.match(text) is None:
        raise RefusedValueError("database.table.column, which holds the key", KEY_ADVICE)
    return text


def _size(text: str) -> str:
    try:
        least = size_bytes(text) >= _LEAST_SCAN
    except ValueError:
        least = False
    if not least:
        raise RefusedValueError(
            "a whole number and a unit: MB, GB or TB, at least 10MB", "write it like 500GB or 1TB"
        )
    return text


Duration = Annotated[str, AfterValidator(_duration)]
Cron = Annotated[str, AfterValidator(_cron)]
EnvironmentValue = Annotated[str, AfterValidator(_environment_value)]
Resolved = Annotated[str, AfterValidator(_resolved)]
"""Text that may hold ${env:NAME} and ${ssm:/name}, which a deploy resolves."""
Size = Annotated[str, AfterValidator(_size)]
KeyColumn = Annotated[str, AfterValidator(_key_column)]
"""Where a mask's key is read: never the key itself."""
SecretArn = Annotated[str, AfterValidator(_secret)]
Port = Annotated[int | str, AfterValidator(_port)]
