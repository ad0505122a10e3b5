"""A deploy's files, for somebody else's pipeline."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.desired import Desired
from runner.app.export import export_cloudformation, exported_files
from runner.errors import UsageError
from runner.model.artifacts import Artifact
from runner.plan.stack.facts import FunctionFacts, StackFacts
from runner.plan.stack.manifest import DeployedMachine, DeployedTable, Manifest

if TYPE_CHECKING:
    from pathlib import Path

ARTIFACTS = "s3://artifacts/x/"
TABLE = DeployedTable("marts.daily", "insert", "sql/marts/daily.sql", "SELECT 'ü'", "ab")
MACHINE = DeployedMachine("shop-prod-daily", "daily", "", "cd", f"{ARTIFACTS}definitions/cd.json")

MANIFEST = Manifest("shop", "prod", "9.9", "abc", (TABLE,), (MACHINE,))


def facts(**given: Any) -> StackFacts:  # noqa: ANN401 - values of any field
    keeper = FunctionFacts("shop-prod-keeper", "keeper.handler.handle", f"{ARTIFACTS}k.zip")
    plain: dict[str, Any] = {
        "project": "shop",
        "environment": "prod",
        "prefix": "shop-prod",
        "version": "9.9",
        "region": "eu-west-1",
        "account": "123456789012",
        "lake": "s3://lake/",
        "results": "s3://results/",
        "artifacts": ARTIFACTS,
        "manifest_uri": f"{ARTIFACTS}manifests/ef.json",
        "workgroup": "shop-prod",
        "scan_limit_bytes": None,
        "cluster": "loads",
        "own_cluster": False,
        "repository": "",
        "databases": (),
        "keeper": keeper,
        "functions": (),
        "machines": (),
        "loads": (),
        "topics": (),
        "alarm_topic": "",
        "tags": (("team", "data & co"), ("cost", "7")),
    }
    return StackFacts(**{**plain, **given})


def wanted(**given: Any) -> Desired:  # noqa: ANN401 - values of any field
    """Give a desired state, made by hand."""
    plain: dict[str, Any] = {
        "facts": facts(),
        "template": {"Resources": {"Ü": {}}},
        "artifacts": (
            Artifact(f"{ARTIFACTS}k.zip", b"PK"),
            Artifact(f"{ARTIFACTS}definitions/cd.json", b"{}"),
        ),
        "manifest": MANIFEST,
    }
    return Desired(**{**plain, **given})


def test_an_export_holds_all_that_a_deploy_needs() -> None:
    files = exported_files(wanted())
    assert set(files) == {
        "README.md",
        "artifacts/definitions/cd.json",
        "artifacts/k.zip",
        "manifest.json",
        "template.json",
    }
    assert json.loads(files["template.json"]) == {"Resources": {"Ü": {}}}
    assert json.loads(files["manifest.json"])["tables"][0]["sql"] == "SELECT 'ü'"
    assert files["artifacts/k.zip"] == b"PK"
    assert files == exported_files(wanted())


def test_the_readme_has_the_two_commands(tmp_path: Path) -> None:
    """They are run with an `aws` that notes its words."""
    readme = exported_files(wanted())["README.md"].decode()
    (block,) = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    fake = tmp_path / "aws"
    fake.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\" END >> words\n")
    fake.chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    subprocess.run(["/bin/bash", "-e", "-c", block], cwd=tmp_path, env={"PATH": path}, check=True)
    first, second, rest = (tmp_path / "words").read_text().split("END\n")
    assert first.split("\n")[:-1] == [
        "s3",
        "sync",
        "artifacts/",
        ARTIFACTS,
        "--region",
        "eu-west-1",
    ]
    words = second.split("\n")[:-1]
    assert words[:2] == ["cloudformation", "deploy"]
    assert words[words.index("--stack-name") + 1] == "shop-prod"
    assert words[words.index("--s3-bucket") + 1] == "artifacts"
    assert words[words.index("--s3-prefix") + 1] == "x/templates"
    assert words[words.index("--tags") + 1 :] == ["team=data & co", "cost=7"]
    assert rest == ""
    assert "123456789012" in readme
    assert re.findall(r"__[A-Z]+__", readme) == []
    assert shlex.split(
        exported_files(wanted(facts=facts(tags=())))["README.md"].decode().split("```")[1]
    )


def test_long_sql_goes_to_the_lake() -> None:
    artifacts = (Artifact("s3://lake/_runner/sql/ab.json", b"[]"),)
    files = exported_files(wanted(artifacts=artifacts))
    assert files["lake/_runner/sql/ab.json"] == b"[]"
    assert "\naws s3 sync lake/ s3://lake/ --region eu-west-1\n" in files["README.md"].decode()


def test_it_is_written_whole_and_anew(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    given = {"ssm:/shop/lake": "s3://shop-lake/", "env:RUNNER_REGION": "eu-west-1"}
    written = export_cloudformation(root, "dev", folder, values=given)
    template = json.loads((folder / "template.json").read_text())
    manifest = template["Metadata"]["Runner"]["manifest"]
    assert manifest.startswith("s3://artifacts/x/manifests/")
    assert f"artifacts/manifests/{manifest.rpartition('/')[2]}" in written
    (folder / "artifacts/old.zip").write_text("")
    (folder / "mine.txt").write_text("")
    with pytest.raises(UsageError, match="file-exists"):
        export_cloudformation(root, "dev", folder, values=given)
    assert export_cloudformation(root, "dev", folder, values=given, force=True) == written
    found = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    assert found == sorted([*written, "mine.txt"])
