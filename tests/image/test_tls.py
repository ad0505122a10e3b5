"""TLS to the mart: verified by default, refused when the server cannot prove who it is."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.image.conftest import make_embulk
from tests.support.mariadb import MariaDb, running_mariadb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.image.conftest import Container, Lake

pytestmark = pytest.mark.mariadb


def openssl(*words: str, folder: Path) -> None:
    program = shutil.which("openssl")
    assert program is not None, "openssl is missing; as root on Debian: apt-get install openssl"
    subprocess.run([program, *words], cwd=folder, capture_output=True, check=True)


def authority(folder: Path, name: str) -> None:
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
        folder=folder,
    )


@dataclass
class Secured:
    """A server that proves who it is, and the certificates."""

    server: MariaDb
    folder: Path


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("certificates")
    authority(folder, "ours")
    authority(folder, "others")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=mart"),
        *("-keyout", "server.key", "-out", "server.csr"),
        folder=folder,
    )
    openssl(
        *("x509", "-req", "-in", "server.csr", "-CA", "ours.pem", "-CAkey", "ours.key"),
        *("-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem"),
        folder=folder,
    )
    with running_mariadb(
        f"--ssl-ca={folder}/ours.pem",
        f"--ssl-cert={folder}/server.pem",
        f"--ssl-key={folder}/server.key",
        "--require-secure-transport=ON",
    ) as server:
        server.query("CREATE DATABASE mart CHARACTER SET utf8mb4")
        yield Secured(server, folder)


@pytest.fixture
def verifying(container: Container, secured: Secured) -> Container:
    """A container that verifies, as one does that says nothing of TLS."""
    del container.environ["RUNNER_MART_TLS"]
    container.environ |= {
        "RUNNER_MART_PORT": str(secured.server.port),
        "RUNNER_MART_CA": str(secured.folder / "ours.pem"),
    }
    return container


def test_rows_arrive_through_tls(verifying: Container, secured: Secured) -> None:
    ended = verifying.run()
    assert ended.status == 0, ended.output + ended.errors
    assert secured.server.query("SELECT count(*) FROM carrier_day", "mart") == [(3,)]
    secured.server.query("DROP TABLE carrier_day, _runner_loads", "mart")


def test_embulk_verifies_too(
    verifying: Container, secured: Secured, lake: Lake, memory: Path
) -> None:
    make_embulk(verifying, lake, memory)
    ended = verifying.run()
    assert ended.status == 0, ended.output + ended.errors
    assert secured.server.query("SELECT count(*) FROM carrier_day", "mart") == [(3,)]
    secured.server.query("DROP TABLE carrier_day, _runner_loads", "mart")


def test_another_authority_is_refused(verifying: Container, secured: Secured) -> None:
    ended = verifying.run(RUNNER_MART_CA=str(secured.folder / "others.pem"))
    outcome = verifying.outcome()
    assert (ended.status, outcome.error) == (78, "Load.MartNotTrusted")
    assert "certificate verify failed" in outcome.cause
    assert "RUNNER_MART_CA" in outcome.cause


def test_the_systems_authorities_do_not_know_it(verifying: Container) -> None:
    ended = verifying.run(RUNNER_MART_CA=None)
    assert (ended.status, verifying.outcome().error) == (78, "Load.MartNotTrusted")


def test_another_name_is_refused(verifying: Container) -> None:
    ended = verifying.run(RUNNER_MART_HOST="localhost")
    outcome = verifying.outcome()
    assert (ended.status, outcome.error) == (78, "Load.MartNotTrusted")
    assert "localhost" in outcome.cause


def test_a_server_without_tls_is_refused(verifying: Container, mariadb: MariaDb) -> None:
    ended = verifying.run(RUNNER_MART_PORT=str(mariadb.port))
    outcome = verifying.outcome()
    assert (ended.status, outcome.error) == (78, "Load.MartNotTrusted")
    assert "SSL is required" in outcome.cause
