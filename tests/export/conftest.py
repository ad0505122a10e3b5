from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.project.projects import good_project
from tests.support.commands import Cli, cli

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Cli", "cli"]

ENVIRONMENTS = """
  prod:
    engine: aws
    region: eu-west-1
    account: "123456789012"
    lake: s3://lake/prod
    results: s3://results/
    protected: true
    marts: {main: {engine: mysql, database: m, secret: SECRET}}
  dev:
    engine: aws
    region: ${env:RUNNER_REGION}
    account: "210987654321"
    lake: ${ssm:/shop/lake}
    results: s3://results/
    artifacts: s3://artifacts/x/
    workgroup: shared
    network: {subnets: [subnet-1]}
    marts: {main: {engine: mysql, database: m, secret: SECRET}}
""".replace("SECRET", "'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/m-AbCdEf'")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = good_project(tmp_path)
    config = found / "config.yaml"
    config.write_text(config.read_text().rstrip() + ENVIRONMENTS)
    monkeypatch.delenv("RUNNER_REGION", raising=False)
    return found
