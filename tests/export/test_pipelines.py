"""Examples of pipelines: valid by their hosts' own schemas, without keys, with actions pinned."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import runner

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli

KINDS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
SHA = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}\Z")


def written(cli: Cli, root: Path, *words: str) -> str:
    cli.cd(root)
    said = cli("export", *words)
    assert said.status == 0, said.err
    assert said.err == ""
    return said.out


def problems(kind: str, text: str, folder: Path) -> str:
    path = folder / "pipeline.yaml"
    path.write_text(text)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", KINDS[kind]),
            *(("--data-transform", "gitlab-ci") if kind == "gitlab" else ()),
            str(path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_the_hosts_schema_accepts_it(kind: str, cli: Cli, root: Path, tmp_path: Path) -> None:
    text = written(cli, root, kind, "--env", "prod")
    assert problems(kind, text, tmp_path) == ""
    assert problems(kind, text.replace("check:", "check: 5\nx:", 1), tmp_path) != ""
    assert re.findall(r"__[A-Z_]+__", text) == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_holds_no_keys_and_pins_what_it_runs(kind: str, cli: Cli, root: Path) -> None:
    text = written(cli, root, kind, "--env", "prod")
    assert re.search(r"AWS_(SECRET_)?ACCESS_KEY|secrets\.|AKIA", text) is None
    assert f"athena-runner[aws]=={runner.__version__}" in text
    assert "runner deploy --env prod --yes --confirm prod" in text
    assert "arn:aws:iam::123456789012:role/runner-deploy-" in text
    assert "arn:aws:iam::123456789012:role/runner-plan-" in text


def test_github_pins_actions_and_gives_each_job_what_it_needs(cli: Cli, root: Path) -> None:
    workflow = yaml.safe_load(written(cli, root, "github", "--env", "prod"))
    jobs: dict[str, Any] = workflow["jobs"]
    uses = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert uses
    assert [use for use in uses if SHA.match(use) is None] == []
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in jobs["check"]
    assert jobs["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert jobs["deploy"]["environment"] == "prod"
    assert jobs["deploy"]["needs"] == jobs["plan"]["needs"] == "check"
    assert "head.repo.full_name == github.repository" in jobs["plan"]["if"]


def test_what_they_run_is_shell(cli: Cli, root: Path) -> None:
    github = yaml.safe_load(written(cli, root, "github", "--env", "prod"))
    gitlab = yaml.safe_load(written(cli, root, "gitlab", "--env", "prod"))
    scripts = [
        step["run"] for job in github["jobs"].values() for step in job["steps"] if "run" in step
    ]
    for job in gitlab.values():
        if isinstance(job, dict):
            scripts += [*job.get("script", ()), *job.get("before_script", ())]
    assert len(scripts) > 10
    for script in scripts:
        done = subprocess.run(["/bin/bash", "-n", "-c", script], check=False, capture_output=True)
        assert done.returncode == 0, script


@pytest.mark.parametrize(
    ("plan", "status", "comment"),
    [("echo changes; exit 2", 0, True), ("echo none", 0, True), ("exit 3", 3, False)],
)
def test_the_plan_step_fails_only_without_a_plan(
    plan: str, status: int, *, comment: bool, cli: Cli, root: Path, tmp_path: Path
) -> None:
    workflow = yaml.safe_load(written(cli, root, "github", "--env", "prod"))
    (step,) = [one for one in workflow["jobs"]["plan"]["steps"] if one.get("name") == "Plan"]
    fake = tmp_path / "bin" / "runner"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{plan}\n")
    fake.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env={"PATH": f"{fake.parent}:/usr/bin:/bin", "GITHUB_STEP_SUMMARY": str(tmp_path / "s")},
        check=False,
        capture_output=True,
    )
    assert done.returncode == status
    assert (tmp_path / "comment.md").exists() is comment


def test_gitlab_deploys_a_branch_of_ones_own_server(cli: Cli, root: Path) -> None:
    words = ("--env", "prod", "--branch", "trunk", "--host", "git.shop.example")
    pipeline = yaml.safe_load(written(cli, root, "gitlab", *words))
    assert pipeline["deploy"]["rules"] == [{"if": '$CI_COMMIT_BRANCH == "trunk"'}]
    assert pipeline[".aws"]["id_tokens"]["AWS_TOKEN"]["aud"] == "https://git.shop.example"
    assert pipeline["deploy"]["extends"] == pipeline["plan"]["extends"] == ".aws"


def test_roles_are_for_what_config_says(cli: Cli, root: Path) -> None:
    template = json.loads(written(cli, root, "oidc-role", "--env", "prod", "--github", "a@1/b@2"))
    text = json.dumps(template)
    assert "repo:a@1/b@2:environment:prod" in text
    assert "repo:a@1/b@2:pull_request" in text
    assert "arn:aws:s3:::lake/prod/_runner/artifacts/*" in text
    assert "workgroup/" in text
    assert "database/marts__stage" in text
    values = ("--value", "ssm:/shop/lake=s3://lake/", "--value", "env:RUNNER_REGION=us-east-2")
    other = written(cli, root, "oidc-role", "--env", "dev", "--gitlab", "a/b/c", *values)
    assert "arn:aws:s3:::artifacts/x/*" in other
    assert "workgroup/" not in other
    assert "arn:aws:ssm:us-east-2:210987654321:parameter/shop/lake" in other


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("oidc-role --env prod", "neither --github nor --gitlab"),
        ("oidc-role --env prod --github a/b --gitlab a/b", "--github and --gitlab"),
        ("oidc-role --env prod --github a", "owner/repository"),
        ("oidc-role --env prod --github a@1/b", "owner@id/repository@id"),
        ("oidc-role --env prod --github a/*", "owner/repository"),
        ("oidc-role --env prod --gitlab a/b --branch *", "the name of a branch"),
        ("gitlab --env prod --host https://x", "a host such as gitlab.com"),
        ("github --env local", "which is on this machine"),
        ("github --env dev --value ssm:/shop/lake", "REFERENCE=VALUE"),
        ("github --env dev --value ssm:/shop/other=x", "one of env:RUNNER_REGION, ssm:/shop/lake"),
        ("github --env prod --value ssm:/x=1", "the environment has no references"),
        ("github --env dev", "add --value ssm:/shop/lake=..."),
        ("github --env dev", "or export RUNNER_REGION=..."),
    ],
)
def test_what_is_wrong_is_told(words: str, said: str, cli: Cli, root: Path) -> None:
    cli.cd(root)
    found = cli("export", *shlex.split(words))
    assert found.status == 2
    assert said in found.err


def test_an_older_repository_has_no_ids_and_a_note_says_so(cli: Cli, root: Path) -> None:
    cli.cd(root)
    said = cli("export", "oidc-role", "--env", "prod", "--github", "a/b")
    assert said.status == 0
    assert "repo:a/b:environment:prod" in said.out
    assert "owner@id/name@id" in said.err
