"""The example's environment `local_mysql`: January into MariaDB, and a secret that stays one.

SEMANTICS 32: no secret's value appears in definitions, journals, logs, events or errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import copy_example, process, without_retries
from tests.support.mariadb import PASSWORD, MariaDb

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

JANUARY = ("--start", "2013-01-01", "--end", "2013-01-31")
WRONG = "wrong-canary-0815-pa'ss"


def environment_of(server: MariaDb, database: str, password: str = PASSWORD) -> dict[str, str]:
    return {
        "MART_HOST": "127.0.0.1",
        "MART_PORT": str(server.port),
        "MART_DATABASE": database,
        "MART_USER": "loader",
        "MART_PASSWORD": password,
    }


def contents(server: MariaDb, database: str) -> dict[str, list[tuple[Any, ...]]]:
    """Read every table of a mart, each row in order; our own ledger is left out."""
    tables = [name for (name,) in server.query("SHOW TABLES", database) if name[:1] != "_"]
    return {
        name: sorted(server.query(f"SELECT * FROM `{name}`", database), key=repr) for name in tables
    }


def assert_nowhere(secret: str, root: Path, *outputs: subprocess.CompletedProcess[str]) -> None:
    for output in outputs:
        assert secret not in output.stdout
        assert secret not in output.stderr
    searched = 0
    for path in root.rglob("*"):
        if path.is_file() and path.parts[len(root.parts)] != "data":
            searched += 1
            assert secret.encode() not in path.read_bytes(), path
            assert secret.encode() not in path.name.encode()
    assert searched > 50


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("mysql") / "flights")


@pytest.mark.mariadb
def test_january_in_a_real_server_twice_and_no_trace_of_the_password(
    mariadb: MariaDb, root: Path
) -> None:
    mariadb.query("CREATE DATABASE january")
    environ = environment_of(mariadb, "january")
    words = ("daily", *JANUARY, "--env", "local_mysql")
    first = process("run", *words, cwd=root, environ=environ)
    assert first.returncode == 0, first.stdout + first.stderr
    assert 'mysql -h "$MART_HOST" -P "$MART_PORT" -u "$MART_USER" -p' in first.stdout
    headline = "SELECT sum(flights), count(DISTINCT dt), count(*) FROM daily_carrier_delay"
    assert mariadb.query(headline, "january") == [(27004, 31, 460)]
    before = contents(mariadb, "january")
    assert set(before) == {
        "alb_status_hourly",
        "carrier_delay_7d",
        "daily_carrier_delay",
        "hourly_delay_weather",
        "route_summary",
    }

    again = process("run", *words, "--debug", "--json", cwd=root, environ=environ)
    assert again.returncode == 0, again.stdout + again.stderr
    assert contents(mariadb, "january") == before

    shown = process("compile", "--env", "local_mysql", "--json", cwd=root, environ=environ)
    assert_nowhere(PASSWORD, root, first, again, shown)


@pytest.mark.mariadb
def test_a_wrong_password_is_refused_without_being_shown(mariadb: MariaDb, tmp_path: Path) -> None:
    root = copy_example(tmp_path / "flights")
    without_retries(root)
    done = process(
        *("run", "daily", "--date", "2013-01-05", "--env", "local_mysql", "--debug"),
        *("--only", "raw.alb", "--only", "marts.alb_status_hourly"),
        cwd=root,
        environ=environment_of(mariadb, "nowhere", WRONG),
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "marts.alb_status_hourly load failed: " in done.stdout
    assert "Access denied" in done.stdout
    assert_nowhere(WRONG, root, done)
