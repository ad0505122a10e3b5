"""How tables, servers and rights of real marts are described for the checks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runner.loads.checks import LoadCase, judge
from runner.loads.shapes import MartColumn, UniqueKey
from runner.local.loader import MysqlTarget
from runner.local.loader.mysql_session import open_session
from runner.local.loader.mysql_shape import describe_mysql, describe_server
from runner.local.loader.sqlite_shape import describe_sqlite, describe_sqlite_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.loads.shapes import MartServer, MartTable
    from tests.loader.conftest import Lake, Mart


def table_of(
    mart: Mart, name: str = "carrier_day", target: MysqlTarget | None = None
) -> MartTable | None:
    asked = target or mart.target
    assert isinstance(asked, MysqlTarget)
    with open_session(asked, name) as session:
        return describe_mysql(session, name)


def server_of(mart: Mart, target: MysqlTarget | None = None) -> MartServer:
    asked = target or mart.target
    assert isinstance(asked, MysqlTarget)
    with open_session(asked, "carrier_day") as session:
        return describe_server(session)


@pytest.mark.mariadb
class TestMysql:
    def test_columns(self, mysql_mart: Mart) -> None:
        mysql_mart.query(
            "CREATE TABLE carrier_day (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, "
            "name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
            "note TINYTEXT, code VARBINARY(9), kind ENUM('Aa','B') DEFAULT 'B', "
            "price DECIMAL(12,3), at DATETIME(3) NOT NULL, twice INT AS (price * 2) STORED)"
        )
        found = table_of(mysql_mart)
        assert found is not None
        assert found.engine == "InnoDB"
        assert found.unique_keys == (UniqueKey("PRIMARY", ("id",)),)
        columns = {column.name: column for column in found.columns}
        identity = columns["id"]
        assert (identity.type, identity.full_type) == ("int", "int(10) unsigned")
        assert (identity.unsigned, identity.has_default) == (True, True)
        assert columns["name"] == MartColumn(
            "name",
            "varchar",
            "varchar(64)",
            characters=64,
            nullable=False,
            charset="utf8mb4",
            collation="utf8mb4_bin",
        )
        assert (columns["note"].characters, columns["note"].bytes) == (0, 255)
        assert columns["note"].charset == "latin1"
        assert columns["code"].bytes == 9
        assert columns["kind"].full_type == "enum('Aa','B')"
        assert columns["kind"].has_default
        assert (columns["price"].digits, columns["price"].scale) == (12, 3)
        assert (columns["at"].fraction, columns["at"].must_be_given) == (3, True)
        assert columns["twice"].generated
        assert not columns["twice"].must_be_given

    def test_no_table(self, mysql_mart: Mart) -> None:
        assert table_of(mysql_mart) is None

    def test_keys_and_what_hangs_on_a_table(self, mysql_mart: Mart) -> None:
        statements = """
            CREATE TABLE parent (id INT PRIMARY KEY);
            CREATE TABLE carrier_day (id INT PRIMARY KEY, code VARCHAR(20), up INT,
                UNIQUE KEY part (code(3)), UNIQUE KEY two (up, code), KEY plain (up),
                CONSTRAINT mine FOREIGN KEY (up) REFERENCES parent (id));
            CREATE TABLE child (id INT,
                CONSTRAINT its FOREIGN KEY (id) REFERENCES carrier_day (id));
            CREATE TRIGGER watch BEFORE INSERT ON carrier_day FOR EACH ROW SET NEW.up = NEW.up;
            CREATE VIEW seen AS SELECT id FROM carrier_day;
            CREATE VIEW unseen AS SELECT id FROM parent"""
        for statement in statements.split(";"):
            mysql_mart.query(statement)
        found = table_of(mysql_mart)
        assert found is not None
        assert found.unique_keys == (
            UniqueKey("PRIMARY", ("id",)),
            UniqueKey("part", ("code",), partial=True),
            UniqueKey("two", ("up", "code")),
        )
        assert found.triggers == ("watch",)
        assert found.foreign_keys == ("mine",)
        assert found.referenced_by == ("its",)
        assert found.views == ("seen",)

    def test_a_server(self, mysql_mart: Mart) -> None:
        leftover = "carrier_day_0000018f6c1a2b3c_embulk000"
        mysql_mart.query(f"CREATE TABLE {leftover} (x INT)")
        mysql_mart.query("CREATE TABLE plain (x INT)")
        found = server_of(mysql_mart)
        assert found.product == "mariadb"
        assert "MariaDB" in found.version
        assert found.database == mysql_mart.database
        assert found.tables == (leftover, "plain")
        assert found.privileges == frozenset({"ALL PRIVILEGES"})
        (left,) = found.leftovers
        assert left.name == leftover
        assert found.now is not None
        assert abs((found.now - left.created).total_seconds()) < 60

    def test_a_server_without_leftovers(self, mysql_mart: Mart) -> None:
        assert server_of(mysql_mart).leftovers == ()

    @pytest.fixture
    def weak(self, mysql_mart: Mart) -> Iterator[MysqlTarget]:
        """Give a user who may little."""
        name = mysql_mart.database
        mysql_mart.query(f"CREATE USER weak_{name[-8:]}@127.0.0.1 IDENTIFIED BY 'weak'")
        mysql_mart.query(f"GRANT SELECT, INSERT ON {name}.* TO weak_{name[-8:]}@127.0.0.1")
        assert isinstance(mysql_mart.target, MysqlTarget)
        environ = {**mysql_mart.target.environ, "WEAK": "weak"}
        yield replace(
            mysql_mart.target, user=f"weak_{name[-8:]}", password="${env:WEAK}", environ=environ
        )
        mysql_mart.query(f"DROP USER weak_{name[-8:]}@127.0.0.1")

    def test_rights_that_are_missing_are_named(
        self, mysql_mart: Mart, weak: MysqlTarget, lake: Lake
    ) -> None:
        server = server_of(mysql_mart, weak)
        assert server.privileges == frozenset({"USAGE", "SELECT", "INSERT"})
        manifest = lake.manifest(days=["2013-01-01"])
        (finding,) = judge(LoadCase(manifest, None, server))
        assert finding.error == "Load.MartDenied"
        assert "lacks CREATE, CREATE TEMPORARY TABLES, DELETE on" in finding.message


@pytest.fixture
def file() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        yield made


def test_a_sqlite_table(file: sqlite3.Connection) -> None:
    file.execute(
        "CREATE TABLE carrier_day (id INTEGER PRIMARY KEY, code TEXT COLLATE NOCASE NOT NULL, "
        "n DECIMAL(9,2) DEFAULT 3, twice INT AS (id * 2), plain)"
    )
    file.execute("CREATE UNIQUE INDEX u ON carrier_day (code, n)")
    file.execute("CREATE UNIQUE INDEX some ON carrier_day (n) WHERE n > 3")
    file.execute("CREATE UNIQUE INDEX expression ON carrier_day (n + 1)")
    file.execute("CREATE INDEX i ON carrier_day (n)")
    file.execute("CREATE TRIGGER watch AFTER INSERT ON carrier_day BEGIN SELECT 1; END")
    file.execute("CREATE VIEW seen AS SELECT * FROM carrier_day")
    found = describe_sqlite(file, "carrier_day")
    assert found is not None
    assert set(found.unique_keys) == {
        UniqueKey("PRIMARY", ("id",)),
        UniqueKey("u", ("code", "n")),
        UniqueKey("some", ("n",), partial=True),
        UniqueKey("expression", ("",), partial=True),
    }
    columns = {column.name: column for column in found.columns}
    assert columns["id"].has_default
    assert (columns["code"].must_be_given, columns["code"].collation) == (True, "NOCASE")
    assert (columns["n"].type, columns["n"].full_type) == ("decimal(9,2)", "DECIMAL(9,2)")
    assert columns["n"].has_default
    assert columns["twice"].generated
    assert columns["plain"].type == ""
    assert (found.triggers, found.views) == (("watch",), ("seen",))
    assert describe_sqlite(file, "nothing") is None
    server = describe_sqlite_file(file)
    assert (server.product, server.tables) == ("sqlite", ("carrier_day",))


def test_a_primary_key_of_several_columns(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE t (a TEXT NOT NULL, b INT NOT NULL, PRIMARY KEY (b, a))")
    found = describe_sqlite(file, "t")
    assert found is not None
    assert found.unique_keys == (UniqueKey("PRIMARY", ("b", "a")),)
    assert all(column.must_be_given for column in found.columns)
