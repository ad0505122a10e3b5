"""Rows on their way: only what was offered is sent, and what breaks off leaves nothing."""

from __future__ import annotations

import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.loader import MysqlTarget, load
from runner.local.loader.mysql_session import open_session
from runner.local.loader.mysql_stream import OneFileConnection, send
from runner.local.loader.result import untold
from runner.model.ports import ServiceError
from tests.loader.conftest import Lake
from tests.loader.fake_server import thief

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.loader.conftest import Mart

SECRET = "a secret of the client's"
MANY = 300_000
MOST_BYTES = 16 * 1024**2


@pytest.fixture
def many(tmp_path: Path) -> Lake:
    """A file of 300,000 rows in many row groups; their total is known."""
    made = Lake(tmp_path / "lake", {"n": "bigint", "text": "string"}, None)
    made.write(
        "many",
        f"SELECT i AS n, 'row number ' || hash(i) AS text FROM range({MANY}) t(i)",
        options="ROW_GROUP_SIZE 4096",
    )
    return made


TOTAL = 'SELECT count(*), sum(n), count(DISTINCT n) FROM "carrier_day"'
ALL_ONCE = [(MANY, MANY * (MANY - 1) // 2, MANY)]


def test_a_server_that_asks_for_another_file_than_the_offered_one_gets_nothing(
    tmp_path: Path,
) -> None:
    import pymysql

    file = tmp_path / "secret.txt"
    file.write_text(SECRET, encoding="utf-8")
    taken = []

    def batches() -> Iterator[list[str]]:
        taken.append(1)
        yield ["1"]

    with thief(str(file), at=b"LOAD DATA") as server:
        connection = OneFileConnection(
            host="127.0.0.1", port=server.port, user="x", local_infile=True, autocommit=True
        )
        with pytest.raises(pymysql.OperationalError, match="which it was not offered"):
            send(connection, batches(), "INTO TABLE t", most=1 << 20, tell=untold)
        connection.close()
    assert (server.asked, server.stolen, taken) == (1, b"", [])


def test_a_load_from_such_a_server_names_the_file(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.write_text(SECRET, encoding="utf-8")
    with thief(str(file), at=b"SET SESSION") as server:
        target = MysqlTarget("mart", {}, port=str(server.port))
        with pytest.raises(ServiceError) as caught:
            load(lake.manifest(), target, path_of=lake.path_of)
    assert (server.asked, caught.value.error) == (1, "Load.Rejected")
    assert f"asks for the file {file}" in caught.value.cause
    assert server.stolen == b""


@pytest.mark.mariadb
def test_a_real_server_gets_no_file_by_a_statement(mysql_mart: Mart, tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.write_text(SECRET, encoding="utf-8")
    mysql_mart.query("CREATE TABLE t (x TEXT)")
    assert isinstance(mysql_mart.target, MysqlTarget)
    with open_session(mysql_mart.target, "t") as session:
        with pytest.raises(ServiceError, match="which it was not offered"):
            session.run(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t")
        assert session.all_rows("SELECT count(*) FROM t") == [(0,)]


def corrupt(lake: Lake) -> None:
    """Overwrite a later part of the file; its size stays."""
    path = lake.folder / "many"
    body = bytearray(path.read_bytes())
    middle = len(body) * 2 // 3
    body[middle : middle + 20_000] = b"\xff" * 20_000
    path.write_bytes(body)


@pytest.mark.parametrize("mode", ["truncate_insert", "merge"])
def test_files_that_break_off_load_nothing(mart: Mart, many: Lake, mode: str) -> None:
    keys = ["n"] if mode == "merge" else []
    many.write("many", "SELECT 7::BIGINT AS n, 'old' AS text")
    many.load(mart, mode=mode, keys=keys)
    heard: list[int] = []
    write_many(many)
    corrupt(many)
    manifest = many.manifest(mode=mode, keys=keys, publish_id="broken")
    with pytest.raises(ServiceError) as caught:
        load(manifest, mart.target, path_of=many.path_of, tell=heard.append)
    assert caught.value.error == "Load.Unreadable"
    if mode != "merge":  # which reads the keys of every row first
        assert 0 < max(heard) < MANY
    assert mart.query('SELECT n, text FROM "carrier_day"') == [(7, "old")]
    ledger = "SELECT count(*) FROM \"_runner_loads\" WHERE publish_id = 'broken'"
    assert mart.query(ledger) == [(0,)]


def write_many(lake: Lake) -> None:
    lake.write(
        "many",
        f"SELECT i AS n, 'row number ' || hash(i) AS text FROM range({MANY}) t(i)",
        options="ROW_GROUP_SIZE 4096",
    )


def killer(mart: Mart, statement: str) -> Callable[[int], None]:
    """Kill the connection that sends rows, the first time that it tells of rows."""
    killed: list[Any] = []

    def tell(rows: int) -> None:
        if killed or rows < MANY // 4:
            return
        assert mart.server is not None
        ((number,),) = mart.server.query(
            "SELECT ID FROM information_schema.PROCESSLIST "
            f"WHERE DB = '{mart.database}' AND INFO LIKE '{statement}%'"
        )
        mart.server.query(f"KILL {number}")
        killed.append(number)

    return tell


@pytest.mark.mariadb
@pytest.mark.parametrize("mode", ["truncate_insert", "merge"])
def test_a_connection_that_is_lost_while_rows_are_sent(
    mysql_mart: Mart, many: Lake, mode: str
) -> None:
    """Direct and staged; the whole load is repeated."""
    tell = killer(mysql_mart, "LOAD DATA LOCAL INFILE")
    starts: list[int] = []

    def heard(rows: int) -> None:
        if not starts or rows < starts[-1]:
            starts.append(rows)
        else:
            starts[-1] = rows
        tell(rows)

    keys = ["n"] if mode == "merge" else []
    manifest = many.manifest(mode=mode, keys=keys)
    result = load(manifest, mysql_mart.target, path_of=many.path_of, tell=heard)
    assert (result.rows, result.skipped) == (MANY, False)
    assert len(starts) == 2
    assert mysql_mart.query(TOTAL) == ALL_ONCE


@pytest.mark.mariadb
def test_an_interrupt_while_rows_are_sent_ends_at_once(mysql_mart: Mart, many: Lake) -> None:
    """Ctrl-C inside of a packet: the server would wait for its rest, and we for the answer."""

    class Interrupted(BaseException):
        pass

    original = OneFileConnection.write_packet

    def cut(connection: OneFileConnection, payload: bytes) -> None:
        if connection.offer is not None and connection.offer.rows > MANY // 4:
            half: Any = connection
            number = half._next_seq_id  # noqa: SLF001 - half a packet has no public name
            head = len(payload).to_bytes(3, "little") + bytes([number])
            half._write_bytes(head + payload[:10])  # noqa: SLF001
            raise Interrupted
        original(connection, payload)

    many.load(mysql_mart, mode="truncate_insert")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OneFileConnection, "write_packet", cut)
        ended = []

        def work() -> None:
            with pytest.raises(Interrupted):
                many.load(mysql_mart, mode="truncate_insert", publish_id="cut")
            ended.append(1)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(60)
    assert ended
    assert mysql_mart.query(TOTAL) == ALL_ONCE
    assert mysql_mart.query("SELECT * FROM _runner_loads WHERE publish_id = 'cut'") == []


@pytest.mark.parametrize("mode", ["truncate_insert", "merge"])
def test_a_load_holds_a_few_batches_in_memory(mart: Mart, many: Lake, mode: str) -> None:
    """Python's own memory: 300,000 rows of text at once would be twice as much at least."""
    manifest = many.manifest(mode=mode, keys=["n"] if mode == "merge" else [])
    tracemalloc.start()
    try:
        load(manifest, mart.target, path_of=many.path_of)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert mart.query(TOTAL) == ALL_ONCE
    assert peak < MOST_BYTES
