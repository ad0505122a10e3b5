"""A workflow's `redshift` step on this machine, in a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.project.projects import write_files
from tests.support.commands import Cli, cli
from tests.support.postgres import Database, postgres

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cli", "postgres"]

STEP = """steps:
  out:
    type: redshift
    workgroup: analytics
    database: dev
    poll: 1s
    secret: arn:aws:secretsmanager:us-east-1:123456789012:secret:redshift-AbCdEf
    parameters: {shop: "it's"}
    sql:
      - DELETE FROM days WHERE day BETWEEN CAST(:start AS date) AND CAST(:end AS date)
      - INSERT INTO days SELECT CAST(:start AS date), CAST(:shop AS text), 5 % 2, '100% :start'
"""
VACUUM = """steps:
  out:
    type: redshift
    workgroup: analytics
    database: dev
    poll: 1s
    secret: arn:aws:secretsmanager:us-east-1:123456789012:secret:redshift-AbCdEf
    transaction: false
    sql: [VACUUM days, ANALYZE days]
"""


@pytest.fixture
def root(tmp_path: Path, postgres: Database) -> Path:
    config = (
        "project: little\n"
        "environments:\n"
        f"  local: {{engine: local, redshift: {{port: {postgres.port}}}}}\n"
    )
    postgres.query("DROP TABLE IF EXISTS days")
    postgres.query("CREATE TABLE days (day date, shop text, odd int, said text)")
    files = {
        "config.yaml": config,
        "workflows/out.yaml": STEP,
        "workflows/vacuum.yaml": VACUUM,
        "workflows/wrong.yaml": STEP.replace("5 % 2", "five"),
    }
    return write_files(tmp_path / "project", files)


def test_a_window_replaces_its_own_rows(root: Path, cli: Cli, postgres: Database) -> None:
    cli.cd(root)
    for date in ("2024-01-01", "2024-01-02", "2024-01-01"):
        said = cli("run", "out", "--date", date)
        assert said.status == 0, said.out + said.err
    found = postgres.query("SELECT CAST(day AS text), shop, odd, said FROM days ORDER BY day")
    assert found == [
        ("2024-01-01", "it's", 1, "100% :start"),
        ("2024-01-02", "it's", 1, "100% :start"),
    ]


def test_what_fails_leaves_the_rows_and_is_told_in_the_databases_words(
    root: Path, cli: Cli, postgres: Database
) -> None:
    cli.cd(root)
    assert cli("run", "out", "--date", "2024-01-01").status == 0
    said = cli("run", "wrong", "--date", "2024-01-01")
    assert said.status == 1
    assert 'column "five" does not exist' in said.out
    assert postgres.query("SELECT count(*) FROM days") == [(1,)]


def test_statements_that_no_transaction_takes(root: Path, cli: Cli) -> None:
    cli.cd(root)
    said = cli("run", "vacuum", "--date", "2024-01-01")
    assert said.status == 0, said.out + said.err


def test_a_server_that_is_not_there_is_told(root: Path, cli: Cli) -> None:
    config = root / "config.yaml"
    config.write_text(config.read_text().replace("port: ", "host: 127.0.0.1, port: 1 #"))
    config.write_text(
        "project: little\nenvironments: {local: {engine: local, redshift: {port: 1}}}"
    )
    cli.cd(root)
    told = cli("run", "out", "--date", "2024-01-01")
    assert told.status == 1
    assert "connection to server" in told.out
