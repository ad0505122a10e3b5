"""An environment on AWS, opened: its references resolved, its account checked, its project loaded.

In: the project's folder and an environment of engine aws.  Out: `Cloud`, which gives the clients
and what the keeper's modules work with.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.app.bundle import open_bundle
from runner.errors import CloudRefused, Fault, Place, ProjectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

    from runner.app.bundle import Bundle
    from runner.aws.session import Session
    from runner.keeper.storage import Storage

_MOST_PARAMETERS = 10
"""That one call of GetParameters takes."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """An environment on AWS."""

    root: Path
    bundle: Bundle
    session: Session
    values: Mapping[str, str] = field(default_factory=dict)
    """What the environment's references stand for."""

    @property
    def environment(self) -> dict[str, Any]:
        """Give the environment as config.yaml says it, references resolved."""
        return self.bundle.environment

    def storage(self) -> Storage:
        """Open the lake as the keeper sees it."""
        from runner.keeper.storage import Storage  # noqa: PLC0415 - only when used

        return Storage(self.session.client("s3"), self.environment["lake"])


def open_cloud(
    root: Path,
    environment: str,
    *,
    environ: Mapping[str, str] | None = None,
    connect: Callable[[str], Session] | None = None,
    written: Bundle | None = None,
) -> Cloud:
    """Resolve, guard and load an environment; `written` is its bundle before that, if it is known.

    Raises UsageError for an environment that is not on AWS, ProjectError for faults of the project
    and references that stand for nothing, CloudRefused when AWS refuses or the account is another.
    """
    from runner.aws.session import Session  # noqa: PLC0415 - boto3 is for aws environments only

    given = dict(os.environ if environ is None else environ)
    unresolved = written or open_bundle(root, environment)
    said = _said(unresolved)
    wanted = _references(said)
    values = _from_environment(wanted, given)
    region = _region(str(said["region"]), environment, values)
    session = (connect or Session)(region)
    values |= _from_parameters(session, wanted)
    bundle = open_bundle(root, environment, values=values) if values else unresolved
    check_account(session, bundle.environment["account"], environment)
    return Cloud(root, bundle, session, values)


def references_of(root: Path, environment: str) -> tuple[tuple[str, str], ...]:
    """List the references of an environment on AWS, as (`env` or `ssm`, name)."""
    return _references(_said(open_bundle(root, environment)))


def _references(said: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    from runner.model.fields import references  # noqa: PLC0415 - pydantic loads here

    found = [one for text in _texts(said) for one in references(text)]
    return tuple(dict.fromkeys(found))


def _said(bundle: Bundle) -> dict[str, Any]:
    """Give the environment as it is written; UsageError unless it is on AWS."""
    environment = bundle.environment_name
    if bundle.environment["engine"] != "aws":
        advice = "name an environment of config.yaml with engine: aws"
        found = f"{environment}, which is on this machine"
        fault = Fault(Place("--env"), "not-aws", found, "an environment with engine: aws", advice)
        raise UsageError([fault])
    return {**bundle.environment, "sources": dict(bundle.sources)}


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for one in value.values() for text in _texts(one)]
        case list() | tuple():
            return [text for one in value for text in _texts(one)]
        case _:
            return []


def _region(region: str, environment: str, values: Mapping[str, str]) -> str:
    for reference, value in values.items():
        region = region.replace(f"${{{reference}}}", value)
    if "${" in region:
        place = Place("config.yaml")
        found = f"environments.{environment}.region: {region}"
        expected = "a Region, or ${env:NAME}: parameters of Systems Manager are read in it"
        raise ProjectError([Fault(place, "wrong-value", found, expected, "write the Region")])
    return region


def _from_environment(
    wanted: tuple[tuple[str, str], ...], environ: Mapping[str, str]
) -> dict[str, str]:
    missing = [name for kind, name in wanted if kind == "env" and not environ.get(name)]
    if missing:
        raise ProjectError(
            [
                Fault(
                    Place("config.yaml"),
                    "variable-not-set",
                    f"${{env:{name}}}, which is not set",
                    "a value in the environment",
                    f"export {name}=...",
                )
                for name in missing
            ]
        )
    return {f"env:{name}": environ[name] for kind, name in wanted if kind == "env"}


def _from_parameters(session: Session, wanted: tuple[tuple[str, str], ...]) -> dict[str, str]:
    from runner.aws.refusals import refusals  # noqa: PLC0415 - as above

    names = [name for kind, name in wanted if kind == "ssm"]
    if not names:
        return {}
    client: SSMClient = session.client("ssm")
    found: dict[str, str] = {}
    invalid: list[str] = []
    for first in range(0, len(names), _MOST_PARAMETERS):
        with refusals("read the parameters that config.yaml names"):
            answer = client.get_parameters(Names=names[first : first + _MOST_PARAMETERS])
        found |= {f"ssm:{one['Name']}": one["Value"] for one in answer["Parameters"]}
        invalid += answer["InvalidParameters"]
    if invalid:
        raise ProjectError(
            [
                Fault(
                    Place("config.yaml"),
                    "parameter-not-found",
                    f"${{ssm:{name}}}, which Systems Manager does not have in {session.region}",
                    "a parameter of that name, of type String",
                    f"aws ssm put-parameter --name {name} --type String --value ...",
                )
                for name in invalid
            ]
        )
    return found


def check_account(session: Session, wanted: str, environment: str) -> None:
    """Raise CloudRefused when the credentials are of another account than config.yaml says."""
    from runner.aws.refusals import refusals  # noqa: PLC0415 - as above

    client: STSClient = session.client("sts")
    with refusals("ask whose credentials these are"):
        have = client.get_caller_identity()["Account"]
    if have == wanted:
        return
    raise CloudRefused(
        [
            Fault(
                Place("config.yaml"),
                "other-account",
                f"credentials of the account {have}",
                f"those of {wanted}, as environments.{environment}.account says",
                "choose other credentials (AWS_PROFILE), or correct the account",
            )
        ]
    )
