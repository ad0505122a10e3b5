"""The checks of a load: what each one finds, and what it lets pass."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.loads.checks import CHECKS, Counted, LoadCase, drift, is_rebuilt, judge, refusal
from runner.loads.checks.server import needed
from runner.loads.shapes import ColumnFacts, Leftover, MartServer, UniqueKey
from tests.loads.cases import (
    KEY,
    MARIADB,
    SQLITE,
    case,
    column,
    facts,
    fitting_table,
    found,
    manifest,
    merge,
    one,
    sqlite_table,
    table,
    whole,
)

if TYPE_CHECKING:
    from runner.model.loads import Engine, LoadManifest, Mode


def test_the_fifteen_checks_in_their_order() -> None:
    assert [check.name for check in CHECKS] == [
        "merge-key",
        "unique-rows",
        "columns",
        "types",
        "fractions",
        "charset",
        "lengths",
        "names",
        "replaceable",
        "tasks",
        "parser",
        "secrets",
        "leftovers",
        "rows",
        "privileges",
    ]
    assert all(check.purpose.endswith(".") for check in CHECKS)


@pytest.mark.parametrize("engine", ["native", "embulk"])
def test_a_sound_load_has_no_finding(engine: Engine) -> None:
    sound = case(facts=facts(), engine=engine)
    assert judge(sound) == ()
    assert refusal(sound, ()) is None


def test_a_new_table_has_no_finding() -> None:
    assert judge(case(merge(), table=None, facts=facts())) == ()
    assert judge(case(merge(), table=None, server=SQLITE, facts=facts())) == ()


# -- merge-key, unique-rows


@pytest.mark.parametrize(
    ("keys", "expected", "words"),
    [
        ((KEY,), [], ""),
        ((UniqueKey("u", ("CARRIER", "dt")),), [], ""),
        ((), ["Load.NoUniqueKey"], "(dt, carrier), so a merge would append rows"),
        ((UniqueKey("u", ("dt",)),), ["Load.NoUniqueKey"], "it has u (dt)"),
        ((UniqueKey("u", ("dt", "carrier"), partial=True),), ["Load.NoUniqueKey"], "it has u"),
        ((KEY, UniqueKey("v", ("flights",))), ["Load.SecondUniqueKey"], "(dt, carrier): v"),
    ],
)
def test_a_merge_needs_exactly_the_headers_key(
    keys: tuple[UniqueKey, ...], expected: list[str], words: str
) -> None:
    given = case(merge(), table=fitting_table(*keys))
    findings = judge(given, only=["merge-key"])
    assert [finding.error for finding in findings] == expected
    assert words in "".join(finding.message for finding in findings)
    assert judge(case(table=fitting_table(*keys)), only=["merge-key"]) == ()


def test_the_statement_that_makes_the_key() -> None:
    advice = one(case(merge()), "merge-key").advice
    assert advice == "create one: ALTER TABLE `carrier_day` ADD UNIQUE (`dt`, `carrier`)"
    lite = one(case(merge(), server=SQLITE), "merge-key").advice
    made = 'CREATE UNIQUE INDEX "carrier_day_keys" ON "carrier_day" ("dt", "carrier")'
    assert lite == f"create one: {made}"


def test_a_second_unique_key_does_not_matter_where_a_merge_names_its_own() -> None:
    keys = (KEY, UniqueKey("v", ("flights",)))
    assert judge(case(merge(), table=fitting_table(*keys), server=SQLITE), only=["merge-key"]) == ()


def test_a_key_that_may_be_null_is_told() -> None:
    there = table({"carrier": "VARCHAR(2)", "flights": "BIGINT", "dt": "VARCHAR(10)"}, KEY)
    finding = one(case(merge(), table=there))
    assert (finding.severity, finding.error) == ("warning", "Load.NullableKey")
    assert finding.message.startswith("key dt, carrier of carrier_day may be NULL")


def test_a_key_that_the_table_lacks_is_not_nullable_as_well() -> None:
    there = table({"flights": "BIGINT", "dt": "VARCHAR(10) NOT NULL"}, KEY)
    assert found(case(merge(), table=there), "merge-key") == []


@pytest.mark.parametrize(
    ("made", "keys", "more", "bad"),
    [
        (merge(), (KEY,), {"null_keys": 1}, True),
        (merge(), (KEY,), {"repeated_keys": 2}, True),
        (merge(), (KEY,), {}, False),
        (manifest(keys=("dt", "carrier")), (KEY,), {"repeated_keys": 2}, True),
        (manifest(keys=("dt", "carrier")), (), {"repeated_keys": 2}, False),
        (manifest(), (KEY,), {"repeated_keys": 2}, False),
    ],
)
def test_keys_name_one_row(
    made: LoadManifest, keys: tuple[UniqueKey, ...], more: dict[str, int], *, bad: bool
) -> None:
    given = case(made, table=fitting_table(*keys), facts=facts(**more))
    assert [error for _, _, error in found(given, "unique-rows")] == ["Load.KeysNotUnique"] * bad


def test_keys_that_do_not_name_one_row_are_counted() -> None:
    given = case(merge(), table=None, facts=facts(null_keys=1, repeated_keys=2))
    assert one(given, "unique-rows").message == (
        "marts.carrier_day: the keys (dt, carrier) do not name one row: 1 rows have a NULL key, "
        "2 rows repeat another's key"
    )


def test_without_facts_nothing_is_said_about_rows() -> None:
    assert found(case(merge(), table=fitting_table(KEY)), "unique-rows", "rows") == []


# -- columns


@pytest.mark.parametrize(
    ("types", "message", "advice"),
    [
        (
            {"carrier": "VARCHAR(2)", "dt": "VARCHAR(10)"},
            "it has no column flights (bigint)",
            "ALTER TABLE `carrier_day` ADD COLUMN `flights` BIGINT",
        ),
        (
            {
                "carrier": "VARCHAR(2)",
                "flights": column("FLIGHTS", "BIGINT", generated=True, has_default=True),
                "dt": "VARCHAR(10)",
            },
            "its column FLIGHTS is computed by the server and takes no values",
            "leave flights out: `load: columns:` lists the columns to load",
        ),
        (
            {
                "carrier": "VARCHAR(2)",
                "flights": "BIGINT",
                "dt": "VARCHAR(10)",
                "owner": "INT NOT NULL",
            },
            "its column owner is NOT NULL without a default and the rows do not have it",
            "give owner a default in the mart, or select it",
        ),
    ],
)
def test_columns_are_drift(types: dict[str, Any], message: str, advice: str) -> None:
    finding = one(case(table=table(types)))
    assert (finding.check, finding.severity, finding.error) == (
        "columns",
        "error",
        "Load.SchemaDrift",
    )
    assert (finding.message, finding.advice) == (message, advice)


def test_a_column_of_another_case_or_with_a_default_is_no_drift() -> None:
    more = column("owner", "INT NOT NULL", has_default=True)
    there = table({"Carrier": "CHAR(2)", "FLIGHTS": "BIGINT", "Dt": "TEXT", "owner": more})
    assert judge(case(table=there)) == ()


def test_replace_makes_another_shape_anew() -> None:
    there = table({"carrier": "INT", "gone": "INT NOT NULL"})
    assert judge(case(whole({"carrier": "varchar(2)"}, mode="replace"), table=there)) == ()


def test_a_missing_table_is_refused_where_the_header_says_so() -> None:
    finding = one(case(manifest(create=False), table=None))
    assert finding.error == "Load.NoTable"
    assert judge(case(manifest(create=False))) == ()


@pytest.mark.parametrize(
    ("seen", "bad"),
    [
        (ColumnFacts(nulls=1), True),
        (ColumnFacts(not_finite=1), True),
        (ColumnFacts(), False),
        (None, False),
    ],
)
def test_null_in_a_column_that_takes_none(seen: ColumnFacts | None, *, bad: bool) -> None:
    there = table({"x": "DOUBLE NOT NULL"})
    columns = {} if seen is None else {"x": seen}
    given = case(whole({"x": "double"}), table=there, facts=facts(columns=columns))
    assert found(given, "columns") == [("columns", "error", "Load.ValuesDoNotFit")] * bad


def test_null_keys_are_told_once() -> None:
    columns = {"carrier": ColumnFacts(nulls=1)}
    given = case(merge(), table=fitting_table(KEY), facts=facts(null_keys=1, columns=columns))
    assert [error for _, _, error in found(given)] == ["Load.KeysNotUnique"]


# -- types, fractions, lengths: shapes


@pytest.mark.parametrize(
    ("there", "athena", "fits"),
    [
        ("DECIMAL(12,2)", "decimal(12,2)", True),
        ("DECIMAL(12,1)", "decimal(12,2)", False),
        ("DECIMAL(11,2)", "decimal(12,2)", False),
        ("BIGINT", "decimal(18,0)", True),
        ("BIGINT", "decimal(19,0)", False),
        ("BIGINT", "decimal(18,1)", False),
        ("DECIMAL(19,0)", "bigint", True),
        ("DECIMAL(19,1)", "bigint", False),
        ("BIGINT", "int", True),
        ("INT", "bigint", False),
        ("MEDIUMINT", "smallint", True),
        ("FLOAT", "double", False),
        ("FLOAT", "real", True),
        ("DOUBLE", "real", True),
        ("BIGINT", "double", False),
        ("DATETIME(6)", "timestamp", True),
        ("DATETIME(3)", "timestamp(3)", True),
        ("DATETIME", "timestamp", False),
        ("DATE", "timestamp", False),
        ("DATETIME", "date", True),
        ("VARCHAR(5)", "string", True),
        ("VARCHAR(5)", "varchar(6)", False),
        ("VARCHAR(6)", "varchar(6)", True),
        ("TINYTEXT", "varchar(256)", False),
        ("TEXT", "varchar(5)", True),
        ("ENUM('a','b')", "varchar(5)", True),
        ("DATE", "string", False),
        ("TINYINT(1)", "boolean", True),
        ("BIT(1)", "boolean", True),
        ("BLOB", "varbinary", True),
        ("VARCHAR(9)", "varbinary", False),
        ("JSON", "array(int)", True),
        ("VARCHAR(9)", "map<string,int>", False),
    ],
)
def test_which_columns_hold_which_types(there: str, athena: str, *, fits: bool) -> None:
    given = case(whole({"x": athena}), table=table({"x": there}))
    assert [error for _, _, error in found(given)] == [] if fits else ["Load.SchemaDrift"]


def test_a_narrower_column_is_told_with_its_repair() -> None:
    there = table({"carrier": "VARCHAR(1)", "flights": "INT(11)", "dt": "VARCHAR(10)"})
    assert [(one.check, one.message, one.advice) for one in judge(case(table=there))] == [
        (
            "types",
            "column flights is int, which is narrower than bigint",
            "ALTER TABLE `carrier_day` MODIFY COLUMN `flights` BIGINT",
        ),
        (
            "lengths",
            "column carrier is varchar(1), which is narrower than varchar(2)",
            "ALTER TABLE `carrier_day` MODIFY COLUMN `carrier` VARCHAR(2)",
        ),
    ]


@pytest.mark.parametrize(
    ("there", "asked", "fits"),
    [
        ("INT", "INT", True),
        ("INT", "integer", True),
        ("INT UNSIGNED", "int unsigned", True),
        ("SMALLINT", "INT", False),
        ("VARCHAR(20)", "varchar( 20 ) not null", True),
        ("VARCHAR(20)", "VARCHAR(30)", False),
        ("DECIMAL(10,2)", "numeric(10, 2)", True),
        ("LONGTEXT", "JSON", True),
    ],
)
def test_a_type_of_the_header_is_the_users_word(there: str, asked: str, *, fits: bool) -> None:
    given = case(whole({"x": "bigint"}, asked={"x": asked}), table=table({"x": there}))
    assert [error for _, _, error in found(given)] == [] if fits else ["Load.SchemaDrift"]


@pytest.mark.parametrize(
    ("there", "athena", "fits"),
    [
        ("INTEGER", "bigint", True),
        ("TEXT", "bigint", False),
        ("", "bigint", True),
        ("NUMERIC", "double", True),
        ("VARCHAR(1)", "varchar(2)", True),
        ("TEXT", "timestamp", True),
        ("INTEGER", "string", False),
    ],
)
def test_sqlite_has_affinities(there: str, athena: str, *, fits: bool) -> None:
    given = case(whole({"x": athena}), table=sqlite_table({"x": there}), server=SQLITE)
    assert [error for _, _, error in found(given)] == [] if fits else ["Load.SchemaDrift"]


def test_sqlites_misfit_is_told() -> None:
    given = case(whole({"x": "string"}), table=sqlite_table({"x": "INTEGER"}), server=SQLITE)
    assert one(given).message == "column x is INTEGER, which does not hold string (TEXT)"
    lacking = case(whole({"x": "string", "y": "int"}), table=sqlite_table({"x": ""}), server=SQLITE)
    assert one(lacking).message == "it has no column y (int)"


# -- types: values


@pytest.mark.parametrize(
    ("there", "athena", "least", "greatest", "takes"),
    [
        ("INT UNSIGNED", "bigint", 0, 4294967295, ""),
        ("INT UNSIGNED", "bigint", 0, 4294967296, "0 to 4294967295"),
        ("INT UNSIGNED", "bigint", -1, 5, "0 to 4294967295"),
        ("TINYINT", "bigint", -128, 127, ""),
        ("TINYINT", "bigint", -129, 0, "-128 to 127"),
        ("BIGINT UNSIGNED", "decimal(20,0)", "0", "18446744073709551615", ""),
        ("BIGINT UNSIGNED", "decimal(20,0)", "0", "18446744073709551616", "0 to 1844674407370955"),
        ("DECIMAL(3,2)", "decimal(5,2)", "-9.99", "9.99", ""),
        ("DECIMAL(3,2)", "decimal(5,2)", "0", "10.00", "-9.99 to 9.99"),
        ("DECIMAL(3,2)", "decimal(6,3)", "0", "9.994", ""),
        ("DECIMAL(3,2)", "decimal(6,3)", "0", "9.995", "-9.99 to 9.99"),
        ("DECIMAL(3,2) UNSIGNED", "decimal(5,2)", "-0.01", "1", "0 to 9.99"),
        ("DECIMAL(38,0)", "decimal(38,0)", "0", "9" * 38, ""),
        ("FLOAT", "double", -3.4e38, 3.4e38, ""),
        ("FLOAT", "double", 0.0, 1e39, "-340282346638528860000000000000000000000 to 34028234"),
        ("DOUBLE", "double", 0.0, 1e300, ""),
        ("DOUBLE", "double", None, None, ""),
        ("INT", "bigint", None, None, ""),
        ("VARCHAR(9)", "bigint", 0, 10**18, ""),
        ("TIMESTAMP", "timestamp", "1970-01-01 00:00:01", "2038-01-19 03:14:07.5", ""),
        ("TIMESTAMP", "timestamp", None, None, ""),
        ("TIMESTAMP", "timestamp", "1969-12-31 23:59:59", "2013-01-01 00:00:00", "1970-01-01"),
        ("TIMESTAMP", "timestamp", "2013-01-01 00:00:00", "2038-01-19 03:14:08", "1970-01-01"),
        ("DATETIME", "timestamp", "1969-12-31 23:59:59", "2038-01-19 03:14:08", ""),
    ],
)
def test_values_that_a_column_does_not_take(
    there: str,
    athena: str,
    least: float | str | None,
    greatest: float | str | None,
    takes: str,
) -> None:
    made = whole({"x": athena}, asked={"x": there})
    seen = {"x": ColumnFacts(least=least, greatest=greatest)}
    for existing in (table({"x": there}), None):
        errors = [
            finding
            for finding in judge(
                case(made, table=existing, facts=facts(columns=seen)), only=["types"]
            )
            if finding.severity == "error"
        ]
        assert [finding.error for finding in errors] == ["Load.ValuesDoNotFit"] * bool(takes)
        assert takes in "".join(finding.message for finding in errors)


@pytest.mark.parametrize(
    ("athena", "asked", "rounds"),
    [
        ("decimal(10,4)", "DECIMAL(10,2)", True),
        ("decimal(10,4)", "BIGINT", True),
        ("decimal(10,4)", "DECIMAL(10,4)", False),
        ("decimal(10,4)", "VARCHAR(20)", False),
        ("decimal(10,4)", "FLOAT", True),
        ("double", "FLOAT", True),
        ("real", "FLOAT", False),
        ("bigint", "FLOAT", False),
        ("double", None, False),
    ],
)
def test_rounding_on_the_users_word_is_a_warning(
    athena: str, asked: str | None, *, rounds: bool
) -> None:
    given = case(whole({"x": athena}, asked={"x": asked}), table=None)
    assert found(given) == [("types", "warning", "Load.Rounded")] * rounds


@pytest.mark.parametrize("server", [MARIADB, SQLITE])
def test_values_that_are_not_finite_are_told(server: MartServer) -> None:
    seen = {"x": ColumnFacts(not_finite=3)}
    given = case(whole({"x": "double"}), table=None, facts=facts(columns=seen), server=server)
    finding = one(given)
    assert (finding.severity, finding.error) == ("warning", "Load.NotFinite")
    assert "3 NaN or infinite values" in finding.message


def test_embulk_has_no_binary_values() -> None:
    made = whole({"x": "varbinary"})
    there = table({"x": "BLOB"})
    assert judge(case(made, table=there)) == ()
    finding = one(case(made, table=there, engine="embulk"))
    assert finding.error == "Load.Refused"
    assert finding.advice == "select to_hex(x) as text, or write engine: native"


@pytest.mark.parametrize(
    ("asked", "below", "expected"),
    [
        ("DATETIME(3)", None, ["warning"]),
        ("DATETIME(3)", 6, ["warning"]),
        ("DATETIME(3)", 3, []),
        ("DATETIME", 0, []),
        ("DATETIME(6)", 6, []),
        ("DATE", None, []),
    ],
)
def test_digits_of_a_second_that_go_on_the_users_word(
    asked: str, below: int | None, expected: list[str]
) -> None:
    made = whole({"x": "timestamp"}, asked={"x": asked})
    known = None if below is None else facts(columns={"x": ColumnFacts(below_second=below)})
    given = case(made, table=None, facts=known)
    assert [severity for _, severity, _ in found(given, "fractions")] == expected


def test_a_column_without_facts_says_nothing_about_its_fractions() -> None:
    made = whole({"x": "timestamp"}, asked={"x": "DATETIME"})
    assert judge(case(made, table=None, facts=facts()), only=["fractions"]) == ()


def test_a_missing_column_has_no_other_fault() -> None:
    made = whole({"x": "timestamp", "y": "varchar(9)"})
    given = case(made, table=table({"z": "INT"}), facts=facts(columns={"x": ColumnFacts()}))
    assert {check for check, _, _ in found(given)} == {"columns"}


# -- charset, lengths, names


@pytest.mark.parametrize(
    ("charset", "seen", "engine", "expected"),
    [
        ("latin1", None, "native", []),
        ("latin1", None, "embulk", ["warning"]),
        ("utf8mb4", None, "embulk", []),
        ("", None, "embulk", []),
        ("latin1", ColumnFacts(), "embulk", []),
        ("latin1", ColumnFacts(beyond_ascii=1), "native", ["warning"]),
        ("ascii", ColumnFacts(beyond_ascii=1), "native", ["error"]),
        ("utf8mb3", ColumnFacts(beyond_ascii=1), "embulk", []),
        ("utf8mb3", ColumnFacts(beyond_ascii=1, beyond_plane=1), "embulk", ["error"]),
    ],
)
def test_character_sets(
    charset: str,
    seen: ColumnFacts | None,
    engine: Engine,
    expected: list[str],
) -> None:
    there = table({"x": column("x", "VARCHAR(9)", charset=charset)})
    known = None if seen is None else facts(columns={"x": seen})
    given = case(whole({"x": "varchar(9)"}), table=there, facts=known, engine=engine)
    assert [severity for _, severity, _ in found(given, "charset")] == expected


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (ColumnFacts(carriage_returns=3), "has carriage returns in 3 rows, and Embulk makes line"),
        (ColumnFacts(zero_characters=1), "has the character U+0000 in 1 rows, and Embulk takes it"),
        (ColumnFacts(), ""),
    ],
)
def test_characters_that_embulk_does_not_bring_through(seen: ColumnFacts, words: str) -> None:
    given = case(whole({"x": "string"}), table=None, facts=facts(columns={"x": seen}))
    assert judge(given) == ()
    findings = judge(replace(given, engine="embulk"))
    assert [(one.check, one.error) for one in findings] == [
        ("charset", "Load.ValuesDoNotFit")
    ] * bool(words)
    assert words in "".join(one.message for one in findings)


def test_numbers_have_no_character_set() -> None:
    there = table({"x": column("x", "INT", charset="latin1")})
    assert judge(case(whole({"x": "int"}), table=there, engine="embulk")) == ()


@pytest.mark.parametrize(
    ("collation", "server", "more", "expected"),
    [
        ("utf8mb4_general_ci", MARIADB, None, ["Load.LooseKey"]),
        ("utf8mb4_nopad_bin", MARIADB, None, []),
        ("utf8mb4_0900_bin", MARIADB, {"case_variants": 1, "blank_variants": 1}, []),
        ("utf8mb4_general_ci", MARIADB, {}, []),
        ("utf8mb4_general_ci", MARIADB, {"case_variants": 2}, ["Load.KeysNotUnique"]),
        ("utf8mb4_bin", MARIADB, {"case_variants": 2}, []),
        ("utf8mb4_bin", MARIADB, {"blank_variants": 2}, ["Load.KeysNotUnique"]),
        ("NOCASE", SQLITE, {"case_variants": 2}, ["Load.KeysNotUnique"]),
        ("RTRIM", SQLITE, {"case_variants": 2}, []),
        ("BINARY", SQLITE, None, []),
    ],
)
def test_keys_that_a_collation_takes_for_one(
    collation: str, server: MartServer, more: dict[str, int] | None, expected: list[str]
) -> None:
    there = fitting_table(KEY)
    columns = tuple(
        replace(one, collation=collation) if one.name == "carrier" else one for one in there.columns
    )
    known = None if more is None else facts(**more)
    given = case(merge(), table=replace(there, columns=columns), server=server, facts=known)
    assert [error for _, _, error in found(given)] == expected
    assert judge(replace(given, manifest=manifest())) == ()


@pytest.mark.parametrize(
    ("there", "seen", "words"),
    [
        ("VARCHAR(5)", ColumnFacts(characters=5, bytes=20), ""),
        ("VARCHAR(5)", ColumnFacts(characters=6, bytes=6), "takes 5 characters; the longest"),
        ("TINYTEXT", ColumnFacts(characters=200, bytes=255), ""),
        ("TINYTEXT", ColumnFacts(characters=200, bytes=256), "takes 255 bytes; the longest"),
        ("LONGTEXT", ColumnFacts(characters=None, bytes=None), ""),
    ],
)
def test_texts_that_are_too_long(there: str, seen: ColumnFacts, words: str) -> None:
    given = case(
        whole({"x": "string"}), table=table({"x": there}), facts=facts(columns={"x": seen})
    )
    findings = judge(given)
    assert [(one.check, one.error) for one in findings] == [
        ("lengths", "Load.ValuesDoNotFit")
    ] * bool(words)
    assert words in "".join(one.message for one in findings)


def test_the_length_of_numbers_and_of_unknown_columns_is_not_judged() -> None:
    given = case(
        whole({"x": "int", "y": "string"}), table=None, facts=facts(columns={"x": ColumnFacts()})
    )
    assert judge(given, only=["lengths"]) == ()
    assert judge(replace(given, server=SQLITE), only=["lengths"]) == ()


@pytest.mark.parametrize(
    ("name", "engine", "server", "bad"),
    [
        ("a" * 64, "native", MARIADB, False),
        ("a" * 65, "native", MARIADB, True),
        ("é" * 33, "native", MARIADB, True),
        ("a" * 65, "native", SQLITE, False),
        ("a`b", "native", MARIADB, False),
        ("a`b", "embulk", MARIADB, True),
        ("a b", "native", MARIADB, False),
        ("ab ", "native", MARIADB, True),
        ("", "native", SQLITE, True),
        ("a\tb", "native", MARIADB, True),
        ("_runner_loads", "native", SQLITE, True),
        ("Carrier_Day", "embulk", MARIADB, True),
    ],
)
def test_names(name: str, engine: Engine, server: MartServer, *, bad: bool) -> None:
    made = manifest()
    key = replace(made.key, mart_table=name)
    given = case(replace(made, key=key), table=None, engine=engine, server=server)
    assert found(given, "names") == [("names", "error", "Load.Refused")] * bad


def test_a_twin_in_another_case_is_told_to_the_native_loader_too() -> None:
    made = manifest()
    given = case(replace(made, key=replace(made.key, mart_table="Carrier_Day")))
    assert found(given, "names") == [("names", "warning", "Load.Refused")]


def test_names_of_columns() -> None:
    given = case(whole({"x" * 65: "int"}), table=None)
    assert one(given).message.endswith("MySQL's names end at 64 bytes")


# -- replaceable


@pytest.mark.parametrize(
    ("mode", "engine", "bad"),
    [
        ("truncate_insert", "native", True),
        ("truncate_insert", "embulk", True),
        ("insert_direct", "native", True),
        ("insert_direct", "embulk", False),
    ],
)
def test_a_table_that_cannot_be_rolled_back(mode: Mode, engine: Engine, *, bad: bool) -> None:
    there = table({"x": "INT"}, engine="MyISAM")
    given = case(whole({"x": "int"}, mode=mode), table=there, engine=engine)
    errors = [finding for finding in judge(given) if finding.severity == "error"]
    assert [finding.advice for finding in errors] == [
        "ALTER TABLE `carrier_day` ENGINE=InnoDB"
    ] * bad


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("DELETE FROM t WHERE x < 3", False),
        ("truncate t", True),
        ("/* old */ -- rows\n # go\n DROP TABLE t", True),
        ("CREATE TEMPORARY TABLE t (x INT)", False),
        ("CREATE TABLE t (x INT)", True),
        ("UPDATE created SET x = 1", False),
    ],
)
def test_statements_that_commit(text: str, *, bad: bool) -> None:
    given = case(manifest(before=text, after=text))
    assert found(given) == [("replaceable", "error", "Load.Refused")] * (2 * bad)
    assert judge(replace(given, server=SQLITE)) == ()


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("replace_window", "its place is taken by the DELETE of the window"),
        ("replace", "Embulk's mode replace takes none"),
        ("truncate_insert", ""),
    ],
)
def test_embulk_has_one_statement_before(mode: Mode, words: str) -> None:
    made = manifest(mode=mode, before="DELETE FROM old", windowed=mode == "replace_window")
    there = fitting_table() if mode == "replace_window" else table(dict.fromkeys(["x"], "INT"))
    if mode != "replace_window":
        made = whole({"x": "int"}, mode=mode, before="DELETE FROM old")
    assert judge(case(made, table=None if mode == "replace" else there)) == ()
    given = case(made, table=None if mode == "replace" else there, engine="embulk")
    findings = judge(given)
    assert [finding.error for finding in findings] == ["Load.Refused"] * bool(words)
    assert words in "".join(finding.message for finding in findings)


@pytest.mark.parametrize(
    ("mode", "words"), [("insert_direct", "doubles"), ("merge_direct", "again")]
)
def test_embulks_direct_modes_are_told(mode: Mode, words: str) -> None:
    made = whole({"x": "int"}, mode=mode, keys=("x",) if mode == "merge_direct" else ())
    finding = one(case(made, table=None, engine="embulk"))
    assert (finding.severity, finding.error) == ("warning", "Load.NotAtomic")
    assert words in finding.message


REPLACE = whole({"x": "int"}, mode="replace")


@pytest.mark.parametrize(
    ("engine", "server", "type_", "changes", "expected"),
    [
        ("native", MARIADB, "INT", {"triggers": ("w",), "referenced_by": ("f",)}, []),
        ("native", MARIADB, "TINYINT", {"triggers": ("w",)}, ["w depend"]),
        ("native", MARIADB, "TINYINT", {"referenced_by": ("f",)}, ["f depend"]),
        ("native", MARIADB, "TINYINT", {"foreign_keys": ("g",), "views": ("v",)}, []),
        ("embulk", MARIADB, "INT", {"triggers": ("w",)}, ["w depend", "indexes"]),
        ("embulk", MARIADB, "INT", {"foreign_keys": ("g",)}, ["g depend", "indexes"]),
        ("embulk", MARIADB, "INT", {"views": ("v",)}, ["indexes", "read by v"]),
        ("embulk", MARIADB, "INT", {"unique_keys": (UniqueKey("u", ("x",)),)}, ["unique key u"]),
        ("native", SQLITE, "TEXT", {"triggers": ("w",), "referenced_by": ("f",)}, ["w depend"]),
    ],
)
def test_what_hangs_on_a_table_that_is_replaced(
    engine: Engine,
    server: MartServer,
    type_: str,
    changes: dict[str, Any],
    expected: list[str],
) -> None:
    make = sqlite_table if server is SQLITE else table
    there = make({"x": type_}, **changes)
    findings = judge(case(REPLACE, table=there, engine=engine, server=server))
    assert len(findings) == len(expected)
    assert all(w in f.message for w, f in zip(expected, findings, strict=True))


def test_embulks_replace_loses_columns() -> None:
    there = table({"x": "INT", "note": "TEXT"})
    finding = one(case(REPLACE, table=there, engine="embulk"))
    assert (finding.severity, finding.error) == ("error", "Load.Refused")
    assert "without its column note" in finding.message


# -- leftovers, rows, privileges

NOON = dt.datetime(2013, 1, 3, 12, tzinfo=dt.UTC)


def test_leftovers_of_killed_loads_are_told() -> None:
    old = [Leftover(f"t_{n:016x}_embulk000", NOON - dt.timedelta(days=2)) for n in range(12)]
    young = Leftover("t_00000000000000ff_embulk000", NOON)
    server = replace(MARIADB, leftovers=(*old, young), now=NOON)
    finding = one(case(server=server))
    assert (finding.check, finding.severity) == ("leftovers", "warning")
    assert finding.message.startswith("12 tables of loads that were killed lie in mart: t_0000")
    assert finding.message.endswith(" and 2 more")
    assert finding.advice.startswith("DROP TABLE `t_0000000000000000_embulk000`, `t_")
    few = replace(MARIADB, leftovers=(old[0],), now=NOON)
    assert one(case(server=few)).message.endswith("_embulk000")
    assert judge(case(server=replace(few, now=None))) == ()


def test_files_and_records_agree() -> None:
    finding = one(case(facts=facts(3)))
    assert finding.error == "Load.RowsDiffer"
    assert "its files hold 3 rows, its records say 4" in finding.message
    assert judge(case(manifest(rows=None), facts=facts(3))) == ()


@pytest.mark.parametrize(
    ("mode", "before", "after", "expected"),
    [
        ("replace_window", 9, 4, ""),
        ("replace_window", None, 5, "the load's window in carrier_day has 5 rows"),
        ("truncate_insert", 9, 3, "carrier_day has 3 rows after the load, which brought 4; 4 were"),
        ("insert", 9, 13, ""),
        ("insert", 9, 12, "13 were expected"),
        ("insert_direct", None, 12, ""),
        ("merge", 2, 5, ""),
        ("merge", 2, 3, "4 to 6 were expected"),
        ("merge", 2, 7, "4 to 6 were expected"),
        ("merge", None, 0, ""),
    ],
)
def test_rows_after_the_load(mode: Mode, before: int | None, after: int, expected: str) -> None:
    made = manifest(mode=mode) if mode == "replace_window" else whole({"x": "int"}, mode=mode)
    findings = judge(case(made, counted=Counted(before, after)), only=["rows"])
    assert [finding.error for finding in findings] == ["Load.NotReconciled"] * bool(expected)
    assert expected in "".join(finding.message for finding in findings)


def test_rows_after_a_load_of_unknown_size_are_not_judged() -> None:
    given = case(manifest(rows=None), counted=Counted(0, 7))
    assert judge(given, only=["rows"]) == ()
    assert one(replace(given, facts=facts(4)), "rows").error == "Load.NotReconciled"


NATIVE = {"SELECT", "INSERT", "CREATE TEMPORARY TABLES"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (case(), NATIVE | {"DELETE"}),
        (case(merge()), NATIVE | {"UPDATE"}),
        (case(table=None), NATIVE | {"DELETE", "CREATE"}),
        (case(server=replace(MARIADB, tables=())), NATIVE | {"DELETE", "CREATE"}),
        (
            case(REPLACE, table=table({"x": "TINYINT"})),
            NATIVE | {"DELETE", "CREATE", "DROP", "ALTER"},
        ),
        (case(engine="embulk"), {"SELECT", "INSERT", "CREATE", "DROP", "DELETE"}),
        (
            case(REPLACE, table=None, engine="embulk"),
            {"SELECT", "INSERT", "CREATE", "DROP", "DELETE", "ALTER"},
        ),
    ],
)
def test_what_a_load_may_do(given: LoadCase, wanted: set[str]) -> None:
    assert needed(given) == wanted
    enough = replace(given, server=replace(given.server, privileges=frozenset(wanted)))
    assert judge(enough, only=["privileges"]) == ()
    less = replace(given, server=replace(given.server, privileges=frozenset(wanted - {"INSERT"})))
    finding = one(less, "privileges")
    assert finding.error == "Load.MartDenied"
    assert finding.advice == "GRANT INSERT ON `mart`.* TO the user"


@pytest.mark.parametrize(
    "server", [MARIADB, SQLITE, replace(MARIADB, privileges=frozenset({"ALL PRIVILEGES"}))]
)
def test_privileges_that_are_unknown_or_all(server: MartServer) -> None:
    assert judge(case(server=server), only=["privileges"]) == ()


# -- refusal


def test_one_error_is_one_line() -> None:
    given = case(table=table({"carrier": "VARCHAR(2)", "dt": "VARCHAR(10)"}))
    error = refusal(given, judge(given))
    assert error is not None
    assert error.error == "Load.SchemaDrift"
    assert error.cause == (
        "carrier_day in the mart does not fit marts.carrier_day: it has no column flights "
        "(bigint); ALTER TABLE `carrier_day` ADD COLUMN `flights` BIGINT. Nothing was changed. Or "
        "name the type you want under `load: types:`, or load carrier_day whole once with "
        "`mode: replace`"
    )


def test_all_errors_come_at_once_and_warnings_do_not_refuse() -> None:
    there = fitting_table(engine="MyISAM")
    given = case(merge(), table=there, facts=facts(repeated_keys=1))
    error = refusal(given, judge(given))
    assert error is not None
    assert error.error == "Load.NoUniqueKey"
    assert error.cause.startswith("marts.carrier_day cannot be loaded into carrier_day: \n- carri")
    assert error.cause.count("\n- ") == 3
    assert error.cause.endswith("\nNothing was changed.")
    loose = case(
        merge(), table=table({"carrier": "CHAR(2)", "flights": "BIGINT", "dt": "CHAR(9)"}, KEY)
    )
    assert refusal(loose, judge(loose)) is None


def test_a_flood_of_errors_is_counted() -> None:
    given = case(whole({f"c{n}": "int" for n in range(23)}), table=table({"x": "INT"}))
    error = refusal(given, judge(given))
    assert error is not None
    assert "\n- and 3 more\n" in error.cause


def test_drift_is_told_whatever_the_mode() -> None:
    there = table({"x": "DATETIME"})
    for mode in ("replace", "truncate_insert"):
        given = case(whole({"x": "timestamp"}, mode=mode), table=there)
        assert [said.error for said in drift(given)] == ["Load.SchemaDrift"]
        assert is_rebuilt(given) is (mode == "replace")
    assert drift(case(table=None)) == ()
