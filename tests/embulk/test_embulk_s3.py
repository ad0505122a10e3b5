"""Reading the lake's files with the credentials of an ECS task, as the image does."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.embulk.conftest import Load, database
from tests.support.embulk import find_embulk, running_embulk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mariadb import MariaDb

pytestmark = pytest.mark.mariadb

OBJECTS = {"result/1.csv": b"1,a\n2,b\n", "result/2.csv": b"3,c\n"}
ROLE = {
    "AccessKeyId": "ASIATASKROLE",
    "SecretAccessKey": "canary-secret-key",
    "Token": "canary-token",
    "Expiration": "2099-01-01T00:00:00Z",
}


class _Aws(BaseHTTPRequestHandler):
    """The agent that hands out a task's role, and a bucket that only this role may read."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path == "/role":
            self._answer(json.dumps(ROLE).encode())
        elif "Credential=ASIATASKROLE/" not in self.headers.get("Authorization", ""):
            self.send_error(403)
        elif self.path.startswith("/lake/?"):
            self._answer(_listing().encode())
        else:
            self._answer(OBJECTS[self.path.removeprefix("/lake/")])

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"')
        self.end_headers()
        self.wfile.write(body)


def _listing() -> str:
    rows = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(body)}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for key, body in OBJECTS.items()
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Aws) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_prefix_is_read_by_the_tasks_role(
    mariadb: MariaDb, tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{endpoint}/role",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_CREDENTIAL_PROFILES_FILE": "/dev/null",
    }
    with (
        running_embulk(find_embulk(), **environ) as embulk,
        database(embulk, mariadb, tmp_path) as load,
    ):
        load.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))")
        got = embulk.run(_config(load, endpoint))
        assert (got.status, got.rows) == ("loaded", 3), got.log
        assert load.sql("SELECT * FROM t ORDER BY id") == [(1, "a"), (2, "b"), (3, "c")]
        assert got.log.count("CREATE TABLE `t_") == len(OBJECTS)  # a file is a task
        assert "canary" not in got.log


def _config(load: Load, endpoint: str) -> str:
    config = json.loads(load.config("", {"id": "long", "v": "string"}, mode="insert"))
    parser = config["in"]["parser"] | {"skip_header_lines": 0}
    config["in"] = {
        "type": "s3",
        "bucket": "lake",
        "path_prefix": "result/",
        "endpoint": endpoint,
        "auth_method": "default",
        "parser": parser,
    }
    return json.dumps(config)
