"""Our launcher of Embulk: exit codes, secrets, being killed; and TLS to the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.embulk.conftest import database
from tests.support.embulk import find_embulk, running_embulk
from tests.support.mariadb import PASSWORD, running_mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.embulk.conftest import Load
    from tests.support.embulk import Embulk
    from tests.support.mariadb import MariaDb

pytestmark = pytest.mark.mariadb

COLUMNS = {"id": "long", "v": "string"}
TWO = "id,v\n1,a\n2,b\n"
TARGET = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))"
SECRET = "canary-0815"
STORE = "changeit"


def test_the_exit_code_is_the_worst_and_each_load_has_its_line(load: Load, tmp_path: Path) -> None:
    load.sql(TARGET)
    good, bad, broken = (tmp_path / name for name in ("good.yml", "bad.yml", "broken.yml"))
    good.write_text(load.config(TWO, COLUMNS, mode="merge"))
    bad.write_text(load.config(TWO, COLUMNS, mode="insert"))
    broken.write_text(f"out:\n  password: {SECRET}\n   x: [\n")
    script = load.embulk.home / "run-embulk.sh"
    done = subprocess.run(
        [script, good, bad, broken, good], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["config"], line["status"], line["rows"]) for line in lines] == [
        (str(good), "loaded", 2),
        (str(bad), "failed", 2),
        (str(broken), "refused", 0),
        (str(good), "loaded", 2),
    ]
    assert f"Cannot read {broken}, line 3, column 5: org.yaml.snakeyaml" in done.stderr
    assert SECRET not in done.stderr
    assert PASSWORD not in done.stderr


def test_a_failed_load_exits_with_one_and_a_bare_call_with_two(load: Load, tmp_path: Path) -> None:
    config = tmp_path / "job.yml"
    config.write_text(load.config(TWO, COLUMNS, mode="replace"))
    script = load.embulk.home / "run-embulk.sh"
    assert subprocess.run([script, config], capture_output=True, check=False).returncode == 1
    assert subprocess.run([script], capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"password": SECRET}, "failed"),
        ({"password": [SECRET]}, "refused"),
        ({"password": SECRET, "port": 1}, "failed"),
        ({"password": SECRET, "host": None}, "refused"),
        ({"password": SECRET, "mode": "upsert"}, "refused"),
        ({"password": SECRET, "type": "oracle"}, "refused"),
    ],
)
def test_a_password_is_never_logged(load: Load, changes: dict[str, Any], status: str) -> None:
    got = load.run(TWO, COLUMNS, **{"mode": "insert", **changes})
    assert got.status == status
    assert SECRET not in got.log


def test_statements_and_options_are_logged(load: Load) -> None:
    load.sql(TARGET)
    options = {"applicationName": "canary-option"}
    before = "DELETE FROM t WHERE v = 'canary-before'"
    got = load.run(TWO, COLUMNS, mode="insert", before_load=before, options=options)
    assert got.status == "loaded"
    assert "canary-option" in got.log
    assert "canary-before" in got.log
    assert PASSWORD not in got.log


def test_an_unknown_option_is_overlooked(load: Load) -> None:
    load.sql(TARGET)
    assert load.run(TWO, COLUMNS, mode="insert", column_option={"v": {}}).status == "loaded"


def test_a_killed_load_leaves_the_table_as_it_was_and_one_between(
    mariadb: MariaDb, tmp_path: Path
) -> None:
    with (
        running_embulk(find_embulk()) as embulk,
        database(embulk, mariadb, tmp_path) as load,
    ):
        load.sql(TARGET)
        load.sql("INSERT INTO t VALUES (1, 'old')")
        config = tmp_path / "job.yml"
        slow = "DELETE FROM t WHERE SLEEP(60) = 0"
        config.write_text(load.config(TWO, COLUMNS, mode="insert", before_load=slow))
        assert embulk.process.stdin is not None
        embulk.process.stdin.write(f"{config}\n")
        embulk.process.stdin.flush()
        _wait_for(load, "SLEEP")
        os.kill(embulk.process.pid, signal.SIGKILL)
        embulk.process.wait()
        _end(load, "SLEEP")
        assert load.sql("SELECT * FROM t") == [(1, "old")]
        assert len(load.leftovers()) == 1


def _running(load: Load, word: str) -> list[int]:
    found = load.sql(
        "SELECT id FROM information_schema.processlist "
        f"WHERE db = '{load.database}' AND info LIKE 'DELETE%{word}%'"
    )
    return [number for (number,) in found]


def _wait_for(load: Load, word: str) -> None:
    until = time.monotonic() + 60
    while not _running(load, word):
        assert time.monotonic() < until
        time.sleep(0.05)


def _end(load: Load, word: str) -> None:
    """End the statement that a dead client left: the server notices only later."""
    for number in _running(load, word):
        load.sql(f"KILL {number}")
    while _running(load, word):
        time.sleep(0.05)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an authority, a server's certificate for 127.0.0.1 and a trust store."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for command in (
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test-ca -keyout ca.key -out ca.pem",
        "openssl req -newkey rsa:2048 -nodes -subj /CN=mart -keyout key.pem -out request",
        "openssl x509 -req -in request -CA ca.pem -CAkey ca.key -extfile names -out cert.pem",
        f"keytool -importcert -noprompt -file ca.pem -keystore ca.p12 -storepass {STORE}",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def tls_server(certificates: Path) -> Iterator[MariaDb]:
    with running_mariadb(
        f"--ssl-ca={certificates}/ca.pem",
        f"--ssl-cert={certificates}/cert.pem",
        f"--ssl-key={certificates}/key.pem",
        "--require-secure-transport=ON",
    ) as server:
        yield server


def trust(folder: Path) -> dict[str, str]:
    return {
        "trustCertificateKeyStoreUrl": f"file:{folder}/ca.p12",
        "trustCertificateKeyStoreType": "PKCS12",
        "trustCertificateKeyStorePassword": STORE,
    }


def test_tls_is_verified_against_our_authority(
    embulk: Embulk, tls_server: MariaDb, tmp_path: Path, certificates: Path
) -> None:
    store = trust(certificates)
    with database(embulk, tls_server, tmp_path) as load:
        load.sql(TARGET)
        load.sql("CREATE TABLE ledger (cipher VARCHAR(50))")
        cipher = (
            "INSERT INTO ledger SELECT variable_value FROM information_schema.session_status "
            "WHERE variable_name = 'Ssl_cipher'"
        )
        identity = {"sslMode": "VERIFY_IDENTITY", **store}
        got = load.run(TWO, COLUMNS, mode="merge", after_load=cipher, options=identity)
        assert got.status == "loaded", got.log
        assert load.run(TWO, COLUMNS, mode="merge", ssl="verify", options=store).status == "loaded"
        assert load.sql("SELECT COUNT(*) FROM ledger WHERE cipher LIKE 'TLS%'") == [(1,)]


def test_tls_refuses_another_name_an_unknown_authority_and_plain_text(
    embulk: Embulk, tls_server: MariaDb, tmp_path: Path, certificates: Path
) -> None:
    with database(embulk, tls_server, tmp_path) as load:
        load.sql(TARGET)
        identity = {"sslMode": "VERIFY_IDENTITY", **trust(certificates)}
        name = load.run(TWO, COLUMNS, mode="merge", host="localhost", options=identity)
        assert "Server identity verification failed" in name.log
        unknown = load.run(TWO, COLUMNS, mode="merge", ssl="verify")
        assert "Path does not chain with any of the trust anchors" in unknown.log
        plain = load.run(TWO, COLUMNS, mode="merge")
        assert "Access denied" in plain.log
        assert load.sql("SELECT COUNT(*) FROM t") == [(0,)]


def test_a_pem_file_is_no_trust_store(
    embulk: Embulk, tls_server: MariaDb, tmp_path: Path, certificates: Path
) -> None:
    pem = {
        "trustCertificateKeyStoreUrl": f"file:{certificates}/ca.pem",
        "trustCertificateKeyStoreType": "PEM",
    }
    with database(embulk, tls_server, tmp_path) as load:
        got = load.run(TWO, COLUMNS, mode="merge", ssl="verify", options=pem)
        assert "PEM KeyStore not available" in got.log
