"""Examples of pipelines, and the roles that they take.

In: an environment on AWS and the repository.  Out: the text of a workflow for GitHub or GitLab, or
the CloudFormation template of the roles.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING

import runner
from runner.app.cloud import references_of
from runner.app.export import filled, offline_bundle
from runner.app.functions import deployed_functions
from runner.errors import Fault, Place, UsageError
from runner.model.names import STAGE_SUFFIX
from runner.plan.stack.deploy_rights import DeployFacts
from runner.plan.stack.deploy_roles import deploy_roles, github_trust, gitlab_trust, role_arn
from runner.plan.stack.deploy_sources import SourceFacts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.plan.stack.deploy_roles import Trust

_OLD_GITHUB = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+\Z")
_GITHUB = re.compile(r"[A-Za-z0-9-]+@\d+/[A-Za-z0-9._-]+@\d+\Z")
"""With ids, as tokens of repositories name them that were made, renamed or moved since July 2026:
https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens
"""
_GITLAB = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+\Z")
_HOST = re.compile(r"[a-z0-9.-]+(:\d+)?(/[A-Za-z0-9._-]+)*\Z")
_BRANCH = re.compile(r"[A-Za-z0-9._/-]+\Z")


def github_workflow(root: Path, environment: str, *, values: Mapping[str, str]) -> str:
    """Write .github/workflows/<name>.yaml for an environment."""
    return _written(
        "github", offline_bundle(root, environment, values)[0], REPOSITORY="OWNER@ID/NAME@ID"
    )


def gitlab_pipeline(
    root: Path, environment: str, *, values: Mapping[str, str], branch: str, host: str
) -> str:
    """Write .gitlab-ci.yml for an environment."""
    _check("--branch", branch, _BRANCH, "the name of a branch")
    _check("--host", host, _HOST, "a host such as gitlab.com")
    bundle, _ = offline_bundle(root, environment, values)
    return _written("gitlab", bundle, BRANCH=branch, HOST=host, REPOSITORY="GROUP/PROJECT")


def _written(kind: str, bundle: Bundle, **marks: str) -> str:
    text = (files("runner") / "templates" / "ci" / f"{kind}.yaml").read_text("utf-8")
    account = bundle.environment["account"]
    name = bundle.environment_name
    deploy = f"runner deploy --env {name} --yes"
    return filled(
        text,
        {
            "PROJECT": bundle.project,
            "ENVIRONMENT": name,
            "VERSION": runner.__version__,
            "REGION": bundle.environment["region"],
            "PLAN_ROLE": role_arn("plan", bundle.prefix, account),
            "DEPLOY_ROLE": role_arn("deploy", bundle.prefix, account),
            "DEPLOY": f"{deploy} --confirm {name}" if bundle.environment["protected"] else deploy,
            **marks,
        },
    )


def oidc_template(root: Path, environment: str, *, values: Mapping[str, str], trust: Trust) -> str:
    """Write the template of the roles for an environment."""
    bundle, _ = offline_bundle(root, environment, values)
    parameters = tuple(name for kind, name in references_of(root, environment) if kind == "ssm")
    template = deploy_roles(deploy_facts(bundle, parameters), trust)
    return json.dumps(template, indent=1) + "\n"


def trust_of(
    *, github: str | None, gitlab: str | None, environment: str, branch: str, host: str
) -> Trust:
    """Say whose tokens count; UsageError unless exactly one repository is named."""
    _check("--branch", branch, _BRANCH, "the name of a branch, without *")
    _check("--host", host, _HOST, "a host such as gitlab.com")
    match github, gitlab:
        case str(), None:
            if not (_GITHUB.match(github) or _OLD_GITHUB.match(github)):
                expected = "owner@id/repository@id, or owner/repository for an older one"
                raise _refusal("--github", repr(github), expected, "correct the value")
            return github_trust(github, environment)
        case None, str():
            _check("--gitlab", gitlab, _GITLAB, "group/project")
            return gitlab_trust(gitlab, branch, host)
        case _:
            found = "neither --github nor --gitlab" if github is None else "--github and --gitlab"
            raise _refusal("--github", found, "one of the two", "name the repository")


def has_ids(repository: str) -> bool:
    """Tell whether a repository of GitHub is named with its ids."""
    return _GITHUB.match(repository) is not None


def deploy_facts(bundle: Bundle, parameters: tuple[str, ...]) -> DeployFacts:
    """Say what decides the rights of a deploy of this bundle."""
    said = bundle.environment
    lake = _folder(said["lake"])
    keys = said["keys"]
    return DeployFacts(
        prefix=bundle.prefix,
        stack=bundle.prefix,
        region=said["region"],
        account=said["account"],
        artifacts=_folder(said["artifacts"] or f"{lake}_runner/artifacts/"),
        texts=f"{_folder(lake)}_runner/sql/",
        workgroup="" if said["workgroup"] else bundle.prefix,
        databases=tuple(
            f"{name}{suffix}" for name in bundle.databases for suffix in ("", STAGE_SUFFIX)
        ),
        parameters=parameters,
        permissions_boundary=said["permissions_boundary"] or "",
        keys=tuple(key for key in (keys["data"], keys["logs"], keys["messages"]) if key),
        data_key=keys["data"] or "",
        network=any(one["network"] for one in bundle.function_settings.values()),
        sources=_sources(bundle),
    )


def _sources(bundle: Bundle) -> SourceFacts:
    """Say what brings events: streams, and what calls the functions that are deployed."""
    events = [
        event
        for name in deployed_functions(bundle)
        for event in bundle.function_settings[name]["events"].values()
    ]
    return SourceFacts(
        streams=bool(bundle.streams),
        mappings=any(event["type"] in {"kinesis", "dynamodb"} for event in events),
        log_groups=tuple(sorted({one["group"] for one in events if one["type"] == "logs"})),
    )


def _folder(uri: str) -> str:
    return uri if uri.endswith("/") else uri + "/"


def _check(option: str, value: str, pattern: re.Pattern[str], expected: str) -> None:
    if not pattern.match(value):
        raise _refusal(option, repr(value), expected, "correct the value")


def _refusal(where: str, found: str, expected: str, advice: str) -> UsageError:
    return UsageError([Fault(Place(where), "bad-option", found, expected, advice)])
