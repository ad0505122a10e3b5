"""Secrets Manager on this machine: values of environment variables, never written anywhere.

In: GetSecretValue.  Out: the value of the variable that the environment names for the secret, read
when it is asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.local.wire.json11 import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGET = "secretsmanager"
_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[^:]*:[^:]*:secret:(.+?)(?:-[A-Za-z0-9]{6})?\Z")
_ASKED = {"SecretId", "VersionId", "VersionStage"}


class Secrets:
    """The secrets of one environment."""

    def __init__(self, said: Mapping[str, str], environ: Mapping[str, str]) -> None:
        """Take `${env:NAME}` by ARN or name, and the variables."""
        self._said, self._environ = said, environ
        self.operations = {"GetSecretValue": self.value}

    def value(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        """GetSecretValue."""
        wanted = str(members.get("SecretId", ""))
        for each in sorted(set(members) - _ASKED):
            raise Refusal("InvalidParameterException", f"{each} is not known on this machine")
        if members.get("VersionId") or members.get("VersionStage", "AWSCURRENT") != "AWSCURRENT":
            raise Refusal("ResourceNotFoundException", "Only AWSCURRENT is there on this machine")
        found = [wanted] if wanted in self._said else self._same(wanted)
        if not found:
            raise Refusal(
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret: name it under `secrets` of the "
                f"local environment in config.yaml: {wanted}: ${{env:NAME}}",
            )
        variable = self._said[found[0]].removeprefix("${env:").removesuffix("}")
        if variable not in self._environ:
            raise Refusal(
                "ResourceNotFoundException",
                f"the environment variable {variable} is not set, which stands for {wanted}",
            )
        return {
            "ARN": wanted if wanted.startswith("arn:") else _arn(wanted),
            "Name": _name(wanted),
            "SecretString": self._environ[variable],
            "VersionId": "00000000-0000-0000-0000-000000000000",
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": 0,
        }

    def _same(self, wanted: str) -> list[str]:
        """Find the entry that means the same secret: its name stands for its ARN, and back."""
        return [each for each in self._said if _name(each) == _name(wanted)]


def _name(text: str) -> str:
    """Give a secret's name.

    >>> _name("arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/hook-AbCdEf")
    'shop/hook'
    """
    match = _ARN.match(text)
    return match[1] if match else text


def _arn(name: str) -> str:
    return f"arn:aws:secretsmanager:local:000000000000:secret:{name}-000000"
