"""The configuration that is generated for Embulk, in both forms, and the checks that look at it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.loads.checks import judge
from runner.loads.embulk import FileRows, MartAt, S3Rows, job, to_yaml
from runner.loads.published import LIQUID_MART, published_job, to_liquid
from runner.loads.shapes import UniqueKey
from runner.loads.yamltext import to_yaml as write_yaml
from tests.loads.cases import KEY, case, column, fitting_table, manifest, merge, one, table, whole

if TYPE_CHECKING:
    from runner.loads.embulk import Rows
    from runner.loads.shapes import MartTable
    from runner.model.loads import LoadManifest, Mode

ROWS = S3Rows("results", "loads/p1/")
AT = MartAt(database="mart", host="db", port=3306, user="loader")


def made(load: LoadManifest, there: MartTable | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields
    return job(load, there, rows=more.pop("rows", ROWS), mart=more.pop("mart", AT), **more)


# -- what is generated


def test_one_task_reads_and_one_writes() -> None:
    assert made(manifest())["exec"] == {"max_threads": 1, "min_output_tasks": 1}


def test_rows_from_s3_by_the_tasks_role() -> None:
    source = made(manifest())["in"]
    del source["parser"]
    assert source == {
        "type": "s3",
        "bucket": "results",
        "path_prefix": "loads/p1/",
        "path_match_pattern": r"\.csv$",
        "incremental": False,
        "auth_method": "default",
    }
    source = made(manifest(), rows=S3Rows("results", "loads/p1.csv"))["in"]
    assert source["path"] == "loads/p1.csv"
    assert "path_prefix" not in source
    rows = replace(ROWS, region="eu-central-1", endpoint="http://127.0.0.1:9000")
    source = made(manifest(), rows=rows)["in"]
    assert (source["region"], source["endpoint"]) == ("eu-central-1", "http://127.0.0.1:9000")


def test_rows_from_a_file() -> None:
    source = made(manifest(), rows=FileRows("/data/rows.csv"))["in"]
    assert (source["type"], source["path_prefix"]) == ("file", "/data/rows.csv")


@pytest.mark.parametrize(
    ("athena", "read", "type_", "sent"),
    [
        ("boolean", {"type": "boolean"}, "BOOLEAN", "boolean"),
        ("tinyint", {"type": "long"}, "TINYINT", "long"),
        ("bigint", {"type": "long"}, "BIGINT", "long"),
        ("real", {"type": "double"}, "FLOAT", "double"),
        ("double", {"type": "double"}, "DOUBLE", "double"),
        ("decimal(38,9)", {"type": "string"}, "DECIMAL(38,9)", "string"),
        ("string", {"type": "string"}, "LONGTEXT", "string"),
        ("varchar(9)", {"type": "string"}, "VARCHAR(9)", "string"),
        ("array(int)", {"type": "string"}, "JSON", "string"),
        ("varbinary", {"type": "string"}, "LONGBLOB", "string"),
        ("date", {"type": "timestamp", "format": "%Y-%m-%d"}, "DATE", "string"),
        (
            "timestamp(3)",
            {"type": "timestamp", "format": "%Y-%m-%d %H:%M:%S.%N"},
            "DATETIME(3)",
            "string",
        ),
    ],
)
def test_types_of_a_new_table(athena: str, read: dict[str, str], type_: str, sent: str) -> None:
    configuration = made(whole({"x": athena}))
    assert configuration["in"]["parser"]["columns"] == [{"name": "x", **read}]
    options = configuration["out"]["column_options"]["x"]
    assert (options["type"], options["value_type"]) == (type_, sent)


def test_times_go_as_text_in_utc() -> None:
    options = made(whole({"d": "date", "t": "timestamp"}))["out"]["column_options"]
    assert options["d"]["timestamp_format"] == "%Y-%m-%d"
    assert options["t"]["timestamp_format"] == "%Y-%m-%d %H:%M:%S.%6N"
    assert options["d"]["timezone"] == options["t"]["timezone"] == "UTC"


def test_an_existing_table_keeps_its_types_its_spelling_and_its_other_columns() -> None:
    there = table(
        {
            "Carrier": "ENUM('AA','UA')",
            "flights": "INT(10) UNSIGNED",
            "note": "DECIMAL(9,2) UNSIGNED",
        }
    )
    configuration = made(whole({"carrier": "varchar(2)", "flights": "bigint"}), there)
    assert [c["name"] for c in configuration["in"]["parser"]["columns"]] == ["Carrier", "flights"]
    assert configuration["out"]["column_options"] == {
        "Carrier": {"type": "enum('aa','ua')", "value_type": "string"},
        "flights": {"type": "int unsigned", "value_type": "long"},
        "note": {"type": "decimal(9,2) unsigned"},
    }
    assert "create_table_constraint" not in configuration["out"]


def test_a_type_that_the_header_asks_for() -> None:
    load = whole({"x": "bigint"}, asked={"x": "INT UNSIGNED"})
    assert made(load)["out"]["column_options"]["x"]["type"] == "INT UNSIGNED"


@pytest.mark.parametrize(
    ("keys", "constraint"),
    [
        (("dt", "carrier"), "PRIMARY KEY (`dt`, `carrier`)"),
        (("carrier", "dt"), "PRIMARY KEY (`carrier`, `dt`), KEY (`dt`)"),
        ((), "KEY (`dt`)"),
    ],
)
def test_keys_of_a_new_table(keys: tuple[str, ...], constraint: str) -> None:
    out = made(manifest(keys=keys))["out"]
    assert out["create_table_constraint"] == constraint
    assert out["create_table_option"] == (
        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
    )


def test_a_new_table_without_keys_has_no_constraint() -> None:
    assert "create_table_constraint" not in made(whole({"x": "int"}))["out"]


@pytest.mark.parametrize(
    ("mode", "there", "embulks"),
    [
        ("insert", True, "insert"),
        ("insert_direct", True, "insert_direct"),
        ("truncate_insert", True, "truncate_insert"),
        ("replace", True, "replace"),
        ("replace", False, "truncate_insert"),
        ("merge", True, "merge"),
        ("merge_direct", True, "merge_direct"),
    ],
)
def test_modes(mode: Mode, embulks: str, *, there: bool) -> None:
    load = whole({"x": "int"}, mode=mode, keys=("x",), before="DELETE FROM y")
    out = made(load, table({"x": "INT"}) if there else None)["out"]
    assert (out["mode"], out["before_load"]) == (embulks, "DELETE FROM y")
    assert "merge_keys" not in out


def test_a_window_is_deleted_where_its_rows_are_inserted() -> None:
    out = made(manifest(), fitting_table(name="Carrier_Day"))["out"]
    assert (out["mode"], out["table"]) == ("insert", "Carrier_Day")
    assert out["before_load"] == (
        "DELETE FROM `Carrier_Day` WHERE (`dt`) IN (('2013-01-01'), ('2013-01-02'))"
    )


def test_the_ledgers_row_is_in_the_same_transaction() -> None:
    load = manifest()
    load = replace(load, key=replace(load.key, publish_id="p'1\\"))
    out = made(load, count=7)["out"]
    assert out["after_load"] == (
        "INSERT INTO `_runner_loads` VALUES ('carrier_day', 'marts.carrier_day', '2013-01-01', "
        "'2013-01-02', 'p''1\\\\', 7, UTC_TIMESTAMP(6))"
    )
    assert ", 4, UTC" in made(load)["out"]["after_load"]
    assert made(replace(load, after="CALL done()"))["out"]["after_load"] == "CALL done()"
    assert "after_load" not in made(replace(load, rows=None))["out"]


def test_a_replaced_table_keeps_what_fits() -> None:
    there = table(
        {
            "a": column("a", "VARCHAR(5) NOT NULL", collation="utf8mb4_nopad_bin"),
            "b": "INT",
            "c": "DATETIME",
        },
        UniqueKey("PRIMARY", ("a",)),
    )
    load = whole({"a": "string", "b": "bigint", "c": "timestamp"}, mode="replace", keys=("a",))
    out = made(load, there)["out"]
    assert {name: option["type"] for name, option in out["column_options"].items()} == {
        "a": "varchar(5) COLLATE utf8mb4_nopad_bin NOT NULL",
        "b": "BIGINT",
        "c": "DATETIME(6)",
    }
    assert out["create_table_constraint"] == "PRIMARY KEY (`a`)"


def test_tls_is_verified_by_default() -> None:
    out = made(manifest(), mart=MartAt(trust_store="/run/ca.jks"))["out"]
    assert out["ssl"] == "verify"
    assert out["options"]["sslMode"] == "VERIFY_IDENTITY"
    assert out["options"]["trustCertificateKeyStoreUrl"] == "file:/run/ca.jks"
    assert out["options"]["fallbackToSystemTrustStore"] is False
    assert out["password"] == "${RUNNER_MART_PASSWORD}"
    assert "trustCertificateKeyStoreUrl" not in made(manifest(), mart=MartAt())["out"]["options"]
    plain = made(manifest(), mart=MartAt(tls=False))["out"]
    assert (plain["ssl"], plain["options"]["sslMode"]) == ("disable", "DISABLED")


def test_the_drivers_session_is_strict_and_in_utc() -> None:
    options = made(manifest())["out"]["options"]
    assert options["nullDatabaseMeansCurrent"] is True
    assert options["sessionVariables"].startswith("sql_mode='STRICT_ALL_TABLES,")
    assert options["sessionVariables"].endswith("',time_zone='+00:00'")


# -- YAML


def test_the_yaml_reads_as_what_was_meant() -> None:
    configuration = made(merge(), fitting_table(KEY))
    text = to_yaml(configuration)
    assert yaml.safe_load(text) == configuration
    assert text.startswith("# Load into carrier_day, mode merge; made by runner for Embulk 0.11.\n")
    assert "{{" not in text


scalars = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_any_text_survives_yaml(value: dict[str, Any]) -> None:
    assert (yaml.safe_load(write_yaml(value, head=["", "two"])) or {}) == value


@pytest.mark.parametrize(
    "word", ["no", "0123", "12:30", "~", "null", "2013-01-01", "1e3", "=", "on"]
)
def test_what_yaml_takes_for_other_things_stays_text(word: str) -> None:
    assert yaml.safe_load(write_yaml({word: word})) == {word: word}


# -- the published form


def test_the_published_form_asks_athena() -> None:
    there = fitting_table(KEY)
    load = manifest(
        {
            "carrier": "varchar(2)",
            "flights": "bigint",
            "at": "timestamp",
            "ok": "boolean",
            "r": "real",
        }
    )
    configuration = published_job(load, there)
    source = configuration["in"]
    assert source["type"] == "athena"
    assert source["query"] == (
        'SELECT "carrier", "flights", "at", "ok", "r", "dt" FROM "marts"."carrier_day" '
        "WHERE \"dt\" = '2013-01-01' OR \"dt\" = '2013-01-02'"
    )
    assert {c["name"]: c["type"] for c in source["columns"]} == {
        "carrier": "string",
        "flights": "long",
        "at": "string",
        "ok": "boolean",
        "r": "double",
        "dt": "string",
    }
    out = configuration["out"]
    assert (out["mode"], out["password"]) == ("insert", "{{ env.RUNNER_MART_PASSWORD }}")
    assert out["options"]["useLegacyDatetimeCode"] is False
    assert "after_load" not in out
    plain = published_job(load, there, mart=replace(LIQUID_MART, tls=False))
    assert "enabledTLSProtocols" not in plain["out"]["options"]


def test_the_published_form_of_a_whole_table() -> None:
    source = published_job(whole({'x"y': "int"}), None)["in"]
    assert source["query"] == 'SELECT "x""y" FROM "marts"."carrier_day"'


def test_liquid_fills_in_variables_and_nothing_else() -> None:
    load = manifest(after="INSERT INTO note VALUES ('{{ x }}')")
    text = to_liquid(published_job(load, None))
    assert 'password: "{{ env.RUNNER_MART_PASSWORD }}"' in text
    assert "after_load: \"{% raw %}INSERT INTO note VALUES ('{{ x }}'){% endraw %}\"" in text
    assert text.startswith("# Embulk 0.9 with embulk-input-athena")


# -- the checks that look at a configuration


def judged(
    configuration: dict[str, Any], check: str, load: LoadManifest | None = None
) -> list[str]:
    given = case(load or manifest(), engine="embulk", job=configuration)
    return [finding.message for finding in judge(given, only=[check])]


@pytest.mark.parametrize("load", [manifest(), merge(), whole({"d": "date", "x": "double"})])
@pytest.mark.parametrize("check", ["tasks", "parser", "secrets"])
def test_what_is_generated_passes(load: LoadManifest, check: str) -> None:
    assert judged(made(load), check, load) == []
    assert judged(made(load), "secrets") == []
    assert judged(published_job(load, None), "secrets", load) == []


def test_several_tasks_are_refused_where_the_order_matters() -> None:
    configuration = made(merge())
    configuration["exec"] = {"max_threads": 4}
    assert [words[:40] for words in judged(configuration, "tasks")] == [
        "exec.max_threads is 4: several tasks dec",
        "exec.min_output_tasks is not set: severa",
    ]
    insert = made(manifest())
    del insert["exec"]
    assert judged(insert, "tasks") == []
    assert len(judged(insert, "tasks", manifest(keys=("dt", "carrier")))) == 2


@pytest.mark.parametrize(
    ("mode", "rows", "bad"),
    [
        ("replace", ROWS, True),
        ("replace", S3Rows("results", "p1.csv"), False),
        ("replace", FileRows("rows.csv"), False),
        ("truncate_insert", ROWS, False),
    ],
)
def test_a_prefix_without_objects_must_not_empty_a_table(
    mode: Mode, rows: Rows, *, bad: bool
) -> None:
    load = whole({"x": "int"}, mode=mode)
    configuration = made(load, table({"x": "INT"}), rows=rows)
    assert [words[:36] for words in judged(configuration, "tasks", load)] == [
        "in.path_prefix with mode: replace: w"
    ] * bad


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("escape", "\\"),
        ("quote", "'"),
        ("stop_on_invalid_record", False),
        ("skip_header_lines", 0),
        ("charset", "latin1"),
        ("trim_if_not_quoted", True),
        ("null_string", "NULL"),
        ("max_quoted_size_limit", 131072),
        ("max_quoted_size_limit", None),
    ],
)
def test_a_parser_that_skips_or_changes_is_refused(name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    configuration = made(manifest())
    configuration["in"]["parser"][name] = value
    (message,) = judged(configuration, "parser")
    assert message.startswith(f"in.parser.{name} ")


def test_a_parser_that_says_nothing_is_refused() -> None:
    configuration = made(manifest())
    del configuration["in"]["parser"]["escape"]
    assert judged(configuration, "parser") == [
        (
            "in.parser.escape is not set, not None: Embulk would skip rows or change values "
            "without an error"
        )
    ]
    assert len(judged({"in": "file"}, "parser")) == 13


def test_columns_go_by_position() -> None:
    configuration = made(manifest())
    columns = configuration["in"]["parser"]["columns"]
    columns[0], columns[1] = columns[1], columns[0]
    (message,) = judged(configuration, "parser")
    assert message.startswith("in.parser.columns are flights, carrier, dt, the load's carrier, fl")


def test_columns_without_a_type_or_a_format_are_refused() -> None:
    load = whole({"t": "timestamp"})
    configuration = made(load)
    del configuration["in"]["parser"]["columns"][0]["format"]
    assert judged(configuration, "parser", load) == ["column t is a timestamp without a format"]
    configuration = made(load)
    del configuration["out"]["column_options"]["t"]["value_type"]
    (message,) = judged(configuration, "parser", load)
    assert message.startswith("out.column_options says no type and value_type for t")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("out", "password"), "hunter2"),
        (("out", "options", "trustCertificateKeyStorePassword"), "s3cret"),
        (("in", "secret_access_key"), "abc"),
        (("in", "access_key_id"), "AKIAABCDEFGHIJKLMNOP"),
        (("in", "bucket"), "AKIAABCDEFGHIJKLMNOP"),
        (("out", "after_load"), "CREATE USER x IDENTIFIED BY 'y'"),
        (("out", "host"), "mysql://ana:pw@host/"),
        (("in", "list"), ["x", "mysql://ana:pw@host/"]),
    ],
)
def test_a_secret_is_found_wherever_it_stands(path: tuple[str, ...], value: Any) -> None:  # noqa: ANN401 - JSON
    configuration = copy.deepcopy(made(manifest()))
    inner = configuration
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    finding = one(case(engine="embulk", job=configuration), "secrets")
    assert finding.error == "Load.SecretInJob"
    assert finding.message.startswith(".".join(path))
    assert str(value) not in finding.message + finding.advice


def test_a_trust_stores_password_is_a_placeholder() -> None:
    configuration = made(manifest(), mart=MartAt(trust_store="/run/ca.jks"))
    assert judged(configuration, "secrets") == []


def test_checks_of_a_configuration_wait_for_one() -> None:
    assert judge(case(engine="embulk"), only=["tasks", "parser", "secrets"]) == ()
