"""Loads by Embulk: a real one where it is assembled, and stand-ins for what it may do wrong."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from runner.loads.embulk import FileRows, MartAt, job
from runner.local.loader import MysqlTarget, open_source
from runner.local.loader.embulk import load_embulk
from runner.local.loader.embulk_run import EmbulkRun
from runner.local.loader.result_csv import write_result
from runner.local.loader.trust_store import trust_store
from runner.model.ports import ServiceError
from tests.loads.cases import whole
from tests.support.embulk import find_embulk
from tests.support.mariadb import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.local.loader import LoadResult
    from tests.loader.conftest import Lake, Mart

pytestmark = pytest.mark.mariadb

DAY1, DAY2 = "2013-01-01", "2013-01-02"
WINDOW: dict[str, Any] = {"days": [DAY1, DAY2]}
MERGE: dict[str, Any] = {**WINDOW, "mode": "merge", "keys": ["dt", "carrier"]}


@pytest.fixture(scope="module")
def home() -> Path:
    """Find the assembled Embulk."""
    return find_embulk()


def embulk(lake: Lake, mart: Mart, home: Path, **changes: Any) -> LoadResult:  # noqa: ANN401 - JSON
    """Load by Embulk what Athena would have written."""
    told = changes.pop("told", [])
    manifest = lake.manifest(**changes)
    work = lake.folder.parent / "work"
    work.mkdir(exist_ok=True)
    result = work / "rows.csv"
    with open_source(manifest, path_of=lake.path_of) as source:
        write_result(source, result)
    assert isinstance(mart.target, MysqlTarget)
    return load_embulk(
        manifest,
        mart.target,
        rows=FileRows(str(result)),
        home=home,
        work=work,
        path_of=lake.path_of,
        environ={**os.environ, "JAVA_OPTS": "-Xmx256m -XX:TieredStopAtLevel=1"},
        tell=told.append,
    )


def rows_of(mart: Mart) -> list[tuple[Any, ...]]:
    return mart.query("SELECT dt, carrier, flights FROM carrier_day ORDER BY 1, 2")


FOUR = [(DAY1, "AA", 94), (DAY1, "UA", 165), (DAY2, "AA", 95), (DAY2, "UA", 170)]


VALUES = """
    SELECT * FROM (VALUES
        (1::BIGINT, 'a"b\\n\t''😀', '', 0.000000001::DECIMAL(38,9), 0.1::DOUBLE, 1.5::REAL,
         true, TIMESTAMP '2013-01-01 23:59:59.123456', DATE '2013-01-01', 0::DECIMAL(20,0),
         1::TINYINT, '[1,2]'),
        (2, NULL, 'NULL', -12345678901234567890123456789.123456789, 1e300, NULL,
         false, TIMESTAMP '1969-12-31 23:59:59', DATE '1000-01-01', NULL, 5, NULL),
        (3, '', 'two' || chr(10) || 'lines"' || chr(1) || chr(27) || chr(133) || chr(8232) || ',' ||
         chr(10), NULL, 'nan', NULL,
         NULL, NULL, NULL, 1, NULL, '[]'),
        (4, '  blanks  ', repeat('x', 200000), 1, '-inf', 0, NULL,
         TIMESTAMP '2013-03-31 02:30:00', DATE '2013-03-31', 2, 0, '{}'),
        (4294967295, 'no', '0123', 1, -0.0, -1, true,
         TIMESTAMP '9999-12-31 23:59:59.999999', DATE '9999-12-31', 18446744073709551615, -128,
         'null')
    ) t(id, name, note, price, ratio, small, ok, moment, day, big, tiny, list)"""


class TestReal:
    """What a real Embulk makes of the generated configuration."""

    def test_a_window_is_replaced_and_known(self, mysql_mart: Mart, lake: Lake, home: Path) -> None:
        lake.load(mysql_mart, **WINDOW, publish_id="p1")
        mysql_mart.query(
            "INSERT INTO carrier_day VALUES ('ZZ', 1, '2013-01-01'), ('ZZ', 1, '2013-01-09')"
        )
        loaded = embulk(lake, mysql_mart, home, **WINDOW, publish_id="p2")
        assert (loaded.rows, loaded.deleted, loaded.skipped) == (4, 5, False)
        assert rows_of(mysql_mart) == [*FOUR, ("2013-01-09", "ZZ", 1)]
        again = embulk(lake, mysql_mart, home, **WINDOW, publish_id="p2")
        assert (again.rows, again.skipped) == (4, True)
        assert mysql_mart.query("SELECT publish_id, `rows` FROM _runner_loads ORDER BY 1") == [
            ("p1", 4),
            ("p2", 4),
        ]
        assert mysql_mart.query("SHOW TABLES") == [("_runner_loads",), ("carrier_day",)]

    def test_every_value_arrives_as_by_the_built_in_loader(
        self, mysql_mart: Mart, lake: Lake, home: Path
    ) -> None:
        lake.columns = {
            "id": "bigint",
            "name": "varchar(40)",
            "note": "string",
            "price": "decimal(38,9)",
            "ratio": "double",
            "small": "real",
            "ok": "boolean",
            "moment": "timestamp",
            "day": "date",
            "big": "decimal(20,0)",
            "tiny": "tinyint",
            "list": "array(int)",
        }
        lake.partition, lake.files = None, {}
        lake.write("x", VALUES)
        asked = {"big": "BIGINT UNSIGNED", "id": "INT UNSIGNED", "tiny": "TINYINT(1)"}
        columns = [
            {"name": name, "athena_type": kind, "mart_type": asked.get(name)}
            for name, kind in lake.columns.items()
        ]
        changes: dict[str, Any] = {"mode": "truncate_insert", "columns": columns, "keys": ["id"]}
        for loaded in range(2):  # into a new table, then into one that is there
            result = embulk(lake, mysql_mart, home, **changes, mart_table="by_embulk")
            assert (result.rows, result.deleted) == (5, 5 * loaded)
            lake.load(mysql_mart, **changes, mart_table="by_us")
            ours = mysql_mart.query("SELECT * FROM by_us ORDER BY id")
            assert mysql_mart.query("SELECT * FROM by_embulk ORDER BY id") == ours
        assert ours[0][1] == "a\"b\\n\t'\U0001f600"
        assert ours[1][3:5] == (Decimal("-12345678901234567890123456789.123456789"), 1e300)
        assert ours[0][7].microsecond == 123456
        assert (ours[4][0], ours[4][9], ours[4][10]) == (4294967295, 2**64 - 1, -128)

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"mode": "insert"}, id="insert"),
            pytest.param({"mode": "insert_direct"}, id="insert_direct"),
            pytest.param({"mode": "truncate_insert"}, id="truncate_insert"),
            pytest.param({"mode": "replace"}, id="replace"),
            pytest.param({"mode": "merge", "keys": ["dt", "carrier"]}, id="merge"),
            pytest.param({"mode": "merge_direct", "keys": ["dt", "carrier"]}, id="merge_direct"),
            pytest.param({"days": [DAY2], "mode": "replace_window"}, id="replace_window"),
        ],
    )
    def test_every_mode_leaves_the_rows_that_the_built_in_loader_leaves(
        self, mysql_mart: Mart, lake: Lake, home: Path, changes: dict[str, Any]
    ) -> None:
        """Into an empty table, over rows that are there, and the same load once more."""
        lake.columns = {"carrier": "varchar(2)", "flights": "bigint", "note": "string"}
        lake.files.clear()
        rows = "('AA', {}::BIGINT, 'a \"b\" \\ 😀'), ('UA', 2, NULL), ('ZZ', -1, '')"
        for number, day in enumerate((DAY1, DAY2)):
            select = f"SELECT * FROM (VALUES {rows.format(number)}) t(carrier, flights, note)"
            lake.write(f"dt={day}/a", select, dt=day)
        found: dict[str, list[Any]] = {}
        for engine in ("native", "embulk"):
            mysql_mart.query("DROP TABLE IF EXISTS carrier_day, _runner_loads")
            mysql_mart.query(
                "CREATE TABLE carrier_day (carrier VARCHAR(2) NOT NULL, flights BIGINT, "
                "note LONGTEXT, dt VARCHAR(40) NOT NULL"
                + (", PRIMARY KEY (dt, carrier)" if "keys" in changes else "")
                + ") CHARSET utf8mb4 COLLATE utf8mb4_nopad_bin"
            )
            mysql_mart.query(
                f"INSERT INTO carrier_day VALUES ('AA', 77, 'old', '{DAY2}'), "
                f"('OO', 78, 'gone or kept', '{DAY2}'), ('AA', 79, 'older', '2012-12-31')"
            )
            for publish in ("p1", "p1", "p2"):
                if engine == "native":
                    lake.load(mysql_mart, **changes, publish_id=publish)
                else:
                    embulk(lake, mysql_mart, home, **changes, publish_id=publish)
            found[engine] = [
                mysql_mart.query("SELECT * FROM carrier_day ORDER BY dt, carrier, flights"),
                mysql_mart.query("SELECT publish_id, `rows` FROM _runner_loads ORDER BY 1"),
                mysql_mart.query("SHOW TABLES"),
            ]
        assert found["embulk"] == found["native"]
        assert [publish for publish, _ in found["native"][1]] == ["p1", "p2"]

    def test_a_merge_by_key(self, mysql_mart: Mart, lake: Lake, home: Path) -> None:
        lake.load(mysql_mart, **MERGE)
        mysql_mart.query("UPDATE carrier_day SET flights = 0")
        result = embulk(lake, mysql_mart, home, **{**MERGE, "days": [DAY2]})
        assert (result.rows, result.deleted) == (2, 0)
        assert rows_of(mysql_mart) == [(d, c, n * (d == DAY2)) for d, c, n in FOUR]

    @pytest.mark.parametrize("mode", ["replace", "merge_direct"])
    def test_modes_without_a_transaction_are_recorded_too(
        self, mysql_mart: Mart, lake: Lake, home: Path, mode: str
    ) -> None:
        told: list[str] = []
        keys = ["dt", "carrier"]
        lake.load(mysql_mart, mode=mode, keys=keys)
        mysql_mart.query("UPDATE carrier_day SET flights = 0")
        result = embulk(lake, mysql_mart, home, mode=mode, keys=keys, told=told, publish_id="p2")
        assert result.rows == 4
        assert rows_of(mysql_mart) == FOUR
        assert mysql_mart.query("SELECT `rows` FROM _runner_loads WHERE publish_id = 'p2'") == [
            (4,)
        ]
        assert len(told) == 1
        assert told[0].startswith("replaceable: ")

    def test_a_statement_after_the_rows_and_none_twice(
        self, mysql_mart: Mart, lake: Lake, home: Path
    ) -> None:
        mysql_mart.query("CREATE TABLE note (n INT)")
        after = "INSERT INTO note SELECT count(*) FROM carrier_day"
        changes: dict[str, Any] = {**WINDOW, "after": after, "publish_id": "p1"}
        embulk(lake, mysql_mart, home, **changes)
        assert embulk(lake, mysql_mart, home, **changes).skipped
        assert mysql_mart.query("SELECT n FROM note") == [(4,)]

    def test_a_window_without_rows_is_emptied(
        self, mysql_mart: Mart, lake: Lake, home: Path
    ) -> None:
        lake.load(mysql_mart, **WINDOW)
        lake.files = {}
        result = embulk(lake, mysql_mart, home, **{**WINDOW, "days": [DAY1]}, publish_id="p2")
        assert (result.rows, result.deleted) == (0, 2)
        assert rows_of(mysql_mart) == FOUR[2:]
        assert mysql_mart.query("SELECT `rows` FROM _runner_loads WHERE publish_id = 'p2'") == [
            (0,)
        ]

    def test_what_embulk_would_change_is_refused(
        self, mysql_mart: Mart, lake: Lake, home: Path
    ) -> None:
        lake.columns["carrier"] = "varchar(9)"
        lake.write(
            "dt=2013-01-02/b", "SELECT 'A' || chr(13) AS carrier, 1::BIGINT AS flights", dt=DAY2
        )
        with pytest.raises(ServiceError, match="carriage returns in 1 rows"):
            embulk(lake, mysql_mart, home, **WINDOW)
        assert mysql_mart.query("SHOW TABLES") == [("_runner_loads",)]

    def test_what_the_server_refuses_is_told_plainly_and_rolled_back(
        self, mysql_mart: Mart, lake: Lake, home: Path
    ) -> None:
        lake.load(mysql_mart, **WINDOW)
        mysql_mart.query("DELETE FROM carrier_day WHERE flights = 170")
        mysql_mart.query("ALTER TABLE carrier_day ADD CONSTRAINT few CHECK (flights < 170)")
        before = rows_of(mysql_mart)
        with pytest.raises(ServiceError) as caught:
            embulk(lake, mysql_mart, home, **WINDOW)
        assert caught.value.error == "Load.Rejected"
        assert "`few`" in caught.value.cause
        assert caught.value.cause.endswith("the mart's rows are as they were")
        assert rows_of(mysql_mart) == before
        work = lake.folder.parent / "work"
        assert sorted(path.name for path in work.iterdir()) == ["embulk.log", "rows.csv"]
        assert PASSWORD not in (work / "embulk.log").read_text("utf-8")


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[str], Path]:
    """Give an Embulk that does what a shell script says; the configuration is its argument."""

    def make(script: str) -> Path:
        folder = tmp_path / "stand-in"
        folder.mkdir(exist_ok=True)
        start = folder / "run-embulk.sh"
        start.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        start.chmod(0o755)
        return folder

    return make


class TestStandIn:
    """What is made of an Embulk's ends."""

    def test_without_an_embulk_the_advice_is_told(self, mysql_mart: Mart, lake: Lake) -> None:
        with pytest.raises(ServiceError, match="runner image embulk") as caught:
            embulk(lake, mysql_mart, lake.folder, **WINDOW)
        assert caught.value.error == "Load.EmbulkMissing"

    def test_a_socket_is_refused(
        self, mysql_mart: Mart, lake: Lake, stand_in: Callable[[str], Path]
    ) -> None:
        assert isinstance(mysql_mart.target, MysqlTarget)
        there = replace(mysql_mart, target=replace(mysql_mart.target, socket="/run/mysqld/s"))
        with pytest.raises(ServiceError, match="write host and port"):
            embulk(lake, there, stand_in("exit 0"), **WINDOW)

    def test_a_result_that_is_missing_empties_nothing(
        self, mysql_mart: Mart, lake: Lake, stand_in: Callable[[str], Path]
    ) -> None:
        assert isinstance(mysql_mart.target, MysqlTarget)
        with pytest.raises(ServiceError, match="there is no result to load"):
            load_embulk(
                lake.manifest(),
                mysql_mart.target,
                rows=FileRows(str(lake.folder / "nothing.csv")),
                home=stand_in("exit 0"),
                work=lake.folder,
                path_of=lake.path_of,
            )

    def test_every_error_comes_before_embulk_starts(
        self, mysql_mart: Mart, lake: Lake, stand_in: Callable[[str], Path]
    ) -> None:
        mysql_mart.query("CREATE TABLE carrier_day (dt VARCHAR(10), carrier INT) ENGINE=Aria")
        home = stand_in("touch started")
        with pytest.raises(ServiceError) as caught:
            embulk(lake, mysql_mart, home, **MERGE, rows=9)
        for words in (
            "no primary or unique key",
            "no column flights",
            "Aria table",
            "records say 9",
        ):
            assert words in caught.value.cause
        assert not (lake.folder.parent / "work" / "started").exists()

    def test_the_configuration_is_secret_and_goes(
        self, mysql_mart: Mart, lake: Lake, stand_in: Callable[[str], Path]
    ) -> None:
        home = stand_in(
            'stat -c %a "$1" > mode; cp "$1" kept; env > environment; cat "$1" >&2; exit 1'
        )
        with pytest.raises(ServiceError) as caught:
            embulk(lake, mysql_mart, home, **WINDOW)
        work = lake.folder.parent / "work"
        assert not (work / "job.yml").exists()
        assert (work / "mode").read_text() == "600\n"
        assert PASSWORD in yaml.safe_load((work / "kept").read_text())["out"]["password"]
        assert "MART_PASSWORD" not in (work / "environment").read_text()
        log = work / "embulk.log"
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        for text in (log.read_text(), caught.value.cause):
            assert PASSWORD not in text
        assert 'password: "***"' in log.read_text()

    @pytest.mark.parametrize(
        ("log", "code", "error", "words"),
        [
            ("java.sql.SQLException: Access denied for user 'x'", 1, "Load.MartDenied", "Access"),
            (
                "a.b.CommunicationsException: Communications link failure",
                1,
                "Load.MartUnreachable",
                "",
            ),
            (
                (
                    "a.CommunicationsException: Communications link failure\n"
                    "Caused by: java.security.cert.CertificateException: Path does not chain"
                ),
                1,
                "Load.MartNotTrusted",
                "Path does not chain",
            ),
            ("a.MySQLTransactionRollbackException: Deadlock found", 1, "Load.MartBusy", "Deadlock"),
            (
                (
                    "org.embulk.exec.PartialExecutionException: java.lang.RuntimeException: oh\n"
                    "\tat org.embulk.Exec\nCaused by: java.sql.BatchUpdateException: "
                    "com.mysql.Truncation: Data too long for 'x'"
                ),
                1,
                "Load.Rejected",
                "Embulk: Data too long for 'x'; the mart's rows are as they were",
            ),
            ("org.embulk.util.csv.InvalidCsvQuotationException: x", 1, "Load.Unreadable", ": x;"),
            (
                "Error: org.embulk.config.ConfigException: no field",
                2,
                "Load.InvalidJob",
                "no field",
            ),
            ("Terminating due to java.lang.OutOfMemoryError", 137, "Load.EmbulkKilled", "code 137"),
            ("", 1, "Load.Rejected", "no word"),
        ],
    )
    def test_ends_in_plain_words(
        self,
        mysql_mart: Mart,
        lake: Lake,
        stand_in: Callable[[str], Path],
        log: str,
        code: int,
        error: str,
        words: str,
    ) -> None:
        home = stand_in(f"cat >&2 <<'END'\n{log}\nEND\nexit {code}")
        with pytest.raises(ServiceError) as caught:
            embulk(lake, mysql_mart, home, **WINDOW)
        assert caught.value.error == error
        assert words in caught.value.cause
        assert mysql_mart.query("SELECT * FROM _runner_loads") == []

    def test_a_direct_mode_may_leave_rows(
        self, mysql_mart: Mart, lake: Lake, stand_in: Callable[[str], Path]
    ) -> None:
        with pytest.raises(ServiceError, match="part of the rows may be in the mart"):
            embulk(lake, mysql_mart, stand_in("exit 1"), mode="insert_direct")

    def test_an_end_without_rows_is_no_success(
        self, mysql_mart: Mart, lake: Lake, stand_in: Callable[[str], Path]
    ) -> None:
        with pytest.raises(ServiceError) as caught:
            embulk(lake, mysql_mart, stand_in("exit 0"), **WINDOW)
        assert caught.value.error == "Load.NotReconciled"
        assert "has 0 rows after the load, which brought 4" in caught.value.cause
        lake.load(mysql_mart, **WINDOW)
        with pytest.raises(ServiceError, match="ended well and moved nothing"):
            embulk(lake, mysql_mart, stand_in("exit 0"), **WINDOW)

    def test_a_failure_after_the_commit_is_a_success(
        self, mysql_mart: Mart, lake: Lake, stand_in: Callable[[str], Path]
    ) -> None:
        lake.load(mysql_mart, **WINDOW)
        assert mysql_mart.server is not None
        code = (
            "import pymysql, sys, yaml; out = yaml.safe_load(open(sys.argv[1]))['out']; "
            f"c = pymysql.connect(unix_socket='{mysql_mart.server.socket}', user='root', "
            "database=out['database'], autocommit=True); c.cursor().execute(out['after_load'])"
        )
        home = stand_in(f'{sys.executable} -c "{code}" "$1"\nexit 1')
        result = embulk(lake, mysql_mart, home, **WINDOW, publish_id="p2")
        assert (result.rows, result.deleted) == (4, 4)

    def test_a_table_that_is_gone_is_loaded_again(
        self, mysql_mart: Mart, lake: Lake, stand_in: Callable[[str], Path]
    ) -> None:
        lake.load(mysql_mart, **WINDOW, publish_id="p1")
        mysql_mart.query("DROP TABLE carrier_day")
        with pytest.raises(ServiceError, match="has 0 rows after the load"):
            embulk(lake, mysql_mart, stand_in("exit 0"), **WINDOW, publish_id="p1")

    def test_an_embulk_that_does_not_end_is_stopped(
        self, mysql_mart: Mart, lake: Lake, stand_in: Callable[[str], Path]
    ) -> None:
        assert isinstance(mysql_mart.target, MysqlTarget)
        work = lake.folder
        (work / "rows.csv").touch()
        with pytest.raises(ServiceError, match="stopped after"):
            load_embulk(
                lake.manifest(**WINDOW),
                mysql_mart.target,
                rows=FileRows(str(work / "rows.csv")),
                home=stand_in("exec sleep 60"),
                work=work,
                path_of=lake.path_of,
                timeout_s=0.2,
            )


@pytest.fixture
def authorities(tmp_path: Path) -> Path:
    """Make a PEM file with two certificates."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is needed")
    pem = ""
    make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    for name in ("one", "two"):
        subprocess.run(
            [openssl, *make.split(), "-keyout", tmp_path / "key", "-out", tmp_path / name,
             "-subj", f"/CN={name}"],
            check=True,
            capture_output=True,
        )  # fmt: skip
        pem += f"# {name}\n" + (tmp_path / name).read_text("ascii")
    path = tmp_path / "ca.pem"
    path.write_text(pem, encoding="ascii")
    return path


def test_a_key_store_that_java_reads(authorities: Path, tmp_path: Path) -> None:
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip("Java's keytool is needed")
    store = tmp_path / "ca.jks"
    store.write_bytes(trust_store(authorities.read_text("ascii"), "pass word"))
    listed = subprocess.run(
        [keytool, "-list", "-v", "-keystore", store, "-storepass", "pass word"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "Your keystore contains 2 entries" in listed
    assert listed.count("trustedCertEntry") == 2
    assert "CN=two" in listed


def test_the_authorities_of_a_verified_connection(authorities: Path, tmp_path: Path) -> None:
    run = EmbulkRun(tmp_path, tmp_path, {}, None)

    def write(mart: MartAt) -> dict[str, Any]:
        return job(whole({"x": "int"}), None, rows=FileRows("x"), mart=mart)

    with run.configuration(write, mart=MartAt(), ca=str(authorities)) as path:
        options = yaml.safe_load(path.read_text("utf-8"))["out"]["options"]
        store = Path(options["trustCertificateKeyStoreUrl"].removeprefix("file:"))
        assert store.read_bytes()[:4] == b"\xfe\xed\xfe\xed"
        assert stat.S_IMODE(store.stat().st_mode) == 0o600
        assert len(options["trustCertificateKeyStorePassword"]) > 16
    assert not store.exists()
    assert not path.exists()
    missing = str(tmp_path / "nothing")
    with (
        pytest.raises(ServiceError, match="`ca` cannot be read"),
        run.configuration(write, mart=MartAt(), ca=missing),
    ):
        pass


def test_a_file_without_certificates_is_named() -> None:
    with pytest.raises(ServiceError, match="holds no certificate"):
        trust_store("nothing", "x")
