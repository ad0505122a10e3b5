"""Each command through the real entry: what it says, where it says it, how it ends."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from runner.cli.root import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli

DAYS = ("--start", "2024-01-01", "--end", "2024-01-03")
EVERY = [(name,) for name in COMMANDS] + [("new", name) for name in ("sql", "workflow", "lambda")]


def test_help_lists_every_command(cli: Cli) -> None:
    said = cli("--help")
    assert said.status == 0
    assert said.err == ""
    listed = [line.split()[0] for line in said.out.split("Commands:\n")[1].splitlines()]
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_of_a_command_has_a_purpose_and_an_example(cli: Cli, words: tuple[str, ...]) -> None:
    said = cli(*words, "--help")
    assert said.status == 0
    assert said.err == ""
    assert f"Example: runner {' '.join(words)}" in said.out


def test_version(cli: Cli) -> None:
    assert cli("--version").out.startswith("runner, version ")


WRONG = [
    (("chek",), "No such command 'chek'. Nearest: check."),
    (("athena", "srve"), "No such command 'srve'. Nearest: serve."),
    (("zzz",), "No such command 'zzz'."),
    (("check", "--projct", "x"), "No such option '--projct'. Did you mean '--project'?"),
    (("preview",), "Missing argument 'TABLE'."),
    (("new", "sq", "a.b"), "No such command 'sq'."),
    (("run", "daily", "--start"), "Option '--start' requires an argument."),
    (("status", "--limit", "many"), "'many' is not a valid integer"),
    (("check", "--var", "x"), "write --var name=value"),
    (("list", "--env", "nope"), "no environment named nope"),
    (("check", "--project", "/nonexistent"), "/nonexistent: no-project"),
    (("compile", "dayly"), "did you mean daily?"),
    (("run", "dayly", *DAYS), "did you mean daily?"),
    (("show", "marts.daily_order"), "did you mean marts.daily_orders?"),
    (("show", "nothing.like_it"), "see `runner list`"),
    (("preview", "marts.daily_order"), "did you mean marts.daily_orders?"),
    (("preview", "marts.daily_orders", "--date", "2024-02-30"), "days such as 2013-01-05"),
    (("run", "daily", "--date", "2024-02-30"), "--date: bad-window"),
    (("run", "daily", "--start", "2024-01-01"), "found:    no --end"),
    (("run", "daily", "--end", "2024-01-01"), "found:    no --start"),
    (("run", "daily", "--start", "2024-01-03", "--end", "2024-01-01"), "after --end 2024-01-01"),
    (("run", "daily", "--date", "2024-01-01", *DAYS), "--date together with --start or --end"),
    (("run", "daily", *DAYS, "--only", "marts.customer"), "did you mean marts.customers?"),
    (("run", "--resume", "last"), "no run was stopped"),
    (("run", "--resume", "daily-x"), "found:    daily-x"),
    (("run", "daily", "--resume", "last"), "leave WORKFLOW away"),
    (("run", "--resume", "last", "--date", "2024-01-01"), "leave --date away"),
    (("run", "daily", *DAYS, "--fault", "x"), "'x' has no state"),
    (("run", "daily", *DAYS, "--fault", "begin:melt"), "action 'melt'"),
    (("run", "daily", *DAYS, "--fault", "begin:fail"), "action 'fail'"),
    (("run", "daily", *DAYS, "--fault", "begin:crash@once"), "attempt 'once'"),
    (("run", "daily", *DAYS, "--fault", "begn:crash"), "did you mean begin?"),
    (("new", "sql", "Bad Name"), "database.table, each a small letter"),
    (("new", "sql", "marts.customers"), "sql/marts/customers.sql is there already"),
    (("new", "workflow", "daily"), "workflows/daily.yaml is there already"),
    (("new", "lambda", "report"), "lambdas/report/handler.py is there already"),
    (("init", "."), "nothing was written"),
    (("init", "other", "--name", "No Good"), "the project name 'No Good'"),
]


@pytest.mark.parametrize(
    ("words", "expected"), WRONG, ids=lambda v: v if isinstance(v, str) else " ".join(v)
)
@pytest.mark.usefixtures("shop")
def test_wrong_use_is_told_on_standard_error(
    cli: Cli, words: tuple[str, ...], expected: str
) -> None:
    said = cli(*words)
    assert (said.status, said.out) == (2, "")
    assert expected in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("list",),
        ("run", "daily"),
        ("status",),
        ("new", "sql", "a.b"),
        ("preview", "a.b"),
    ],
    ids=" ".join,
)
def test_outside_a_project(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    cli.cd(tmp_path)
    said = cli(*words)
    assert (said.status, said.out) == (2, "")
    assert "no-project" in said.err
    assert "runner init" in said.err


def test_commands_work_from_a_folder_inside_the_project(shop: Path, cli: Cli) -> None:
    cli.cd(shop / "sql" / "marts")
    assert cli("check").status == 0


def test_the_project_can_be_named(shop: Path, cli: Cli, tmp_path: Path) -> None:
    cli.cd(tmp_path)
    assert cli("check", "--project", str(shop)).status == 0
    said = cli("run", "daily", *DAYS, "-p", "shop")
    assert said.status == 0
    assert "sqlite3 shop/.runner/mart.sqlite .tables" in said.out


# --- what each command says -----------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_check(cli: Cli) -> None:
    said = cli("check")
    assert (said.status, said.out, said.err) == (
        0,
        "4 tables and 1 workflow: no faults in local\n",
        "",
    )
    assert json.loads(cli("check", "--json").out) == []


def test_check_tells_faults_as_json(shop: Path, cli: Cli) -> None:
    (shop / "sql" / "marts" / "bad.sql").write_text("SELECT product, amout FROM staging.orders\n")
    said = cli("check", "--json")
    assert said.status == 1
    (fault,) = json.loads(said.out)
    assert fault["code"] == "unknown-column"
    assert fault["place"] == {"file": "sql/marts/bad.sql", "line": 1, "column": 17}


def test_compile_writes_the_same_bytes_again(shop: Path, cli: Cli) -> None:
    said = cli("compile")
    assert said.out == ".runner/compiled/local/daily.asl.json\n"
    assert said.err == "and 4 SQL files beside them\n"
    path = shop / ".runner" / "compiled" / "local" / "daily.asl.json"
    first = path.read_bytes()
    assert json.loads(first)["QueryLanguage"] == "JSONata"
    path.unlink()
    files = json.loads(cli("compile", "daily", "--json").out)
    assert files["definitions"] == [".runner/compiled/local/daily.asl.json"]
    assert path.read_bytes() == first
    sql = (shop / files["sql"][-1]).read_text()
    assert "BETWEEN '{{ start }}' AND '{{ end }}'" in sql


@pytest.mark.usefixtures("shop")
def test_list(cli: Cli) -> None:
    lines = cli("list").out.splitlines()
    assert lines[0].split() == ["table", "kind", "grain", "load", "reads"]
    assert [line.split() for line in lines[1:]] == [
        ["raw.orders", "ddl", "-", "-", "-"],
        ["staging.orders", "insert", "day", "-", "raw.orders"],
        ["marts.customers", "ctas", "-", "main:customers", "staging.orders"],
        ["marts.daily_orders", "insert", "day", "main:daily_orders", "staging.orders"],
    ]
    facts = json.loads(cli("list", "--json").out)
    assert facts[1]["reads"] == ["raw.orders"]


@pytest.mark.usefixtures("shop")
def test_pii_of_a_project_without_any(cli: Cli) -> None:
    said = cli("pii")
    assert (said.status, said.out) == (0, "")
    assert said.err == "no column is tagged `pii` or masked\n"
    assert json.loads(cli("pii", "--json").out) == {"tagged": [], "masked": [], "databases": None}


def test_pii(shop: Path, cli: Cli) -> None:
    with (shop / "config.yaml").open("a") as config:
        config.write("sources: {crm.people: {pii: [email, phone]}}\npii_databases: [staging]\n")
    (shop / "sql/staging/people.sql").write_text("SELECT email AS contact FROM crm.people\n")
    (shop / "sql/marts/hosts.sql").write_text(
        "/*---\nmask: {contact: domain}\n---*/\nSELECT contact FROM staging.people\n"
    )
    assert [line.split() for line in cli("pii").out.splitlines()] == [
        ["tagged", "unmasked", "in", "way"],
        [
            *["crm.people.email", "staging.people.contact", "crm.people.email", "->"],
            *["staging.people.contact", "(sql/staging/people.sql)"],
        ],
        ["crm.people.phone", "-"],
        [],
        ["column", "mask", "file"],
        ["marts.hosts.contact", "domain", "sql/marts/hosts.sql"],
        [],
        ["may", "hold", "it", "unmasked:", "staging"],
    ]
    facts = json.loads(cli("pii", "--json").out)
    assert facts["tagged"][0]["held_by"][0]["column"] == "staging.people.contact"


@pytest.mark.usefixtures("shop")
def test_graph(cli: Cli) -> None:
    assert cli("graph").out == (
        "raw.orders\n└── staging.orders\n    ├── marts.customers\n    └── marts.daily_orders\n"
    )
    mermaid = cli("graph", "--mermaid").out.splitlines()
    assert mermaid[0] == "flowchart LR"
    assert "    staging__orders --> marts__customers" in mermaid
    assert json.loads(cli("graph", "--json").out)["marts.customers"] == ["staging.orders"]


@pytest.mark.usefixtures("shop")
def test_show(cli: Cli) -> None:
    said = cli("show", "marts.daily_orders")
    assert said.out.startswith("marts.daily_orders (insert)  sql/marts/daily_orders.sql\n")
    assert "upstream: staging.orders (window)" in said.out
    assert "published: 3 partitions, 9 rows" in said.out
    view = json.loads(cli("show", "marts.daily_orders", "--json").out)
    assert [(one["period"], one["rows"]) for one in view["published"]] == [
        ("2024-01-01", 3),
        ("2024-01-02", 3),
        ("2024-01-03", 3),
    ]
    (run,) = json.loads(cli("status", "--json").out)
    assert {one["run"] for one in view["published"]} == {run["run"]}


@pytest.mark.usefixtures("new_shop")
def test_show_before_any_run(cli: Cli) -> None:
    assert cli("show", "marts.customers").out.endswith("nothing is published\n")


@pytest.mark.usefixtures("shop")
def test_status(cli: Cli) -> None:
    (run,) = json.loads(cli("status", "--json").out)
    assert (run["workflow"], run["status"]) == ("daily", "SUCCEEDED")
    said = cli("status")
    assert said.out.splitlines()[1].split()[:4] == [
        run["run"],
        "daily",
        "SUCCEEDED",
        "2024-01-01..2024-01-03",
    ]
    assert said.err == ""


@pytest.mark.usefixtures("new_shop")
def test_status_before_any_run(cli: Cli) -> None:
    said = cli("status")
    assert (said.status, said.out) == (0, "")
    assert said.err == "no run yet\n"
    assert json.loads(cli("status", "--json").out) == []


@pytest.mark.usefixtures("shop")
def test_preview(cli: Cli) -> None:
    said = cli("preview", "marts.daily_orders", "--date", "2024-01-02", "--limit", "2")
    lines = said.out.splitlines()
    assert re.split(" {2,}", lines[0]) == [
        "product varchar",
        "orders bigint",
        "pieces bigint",
        "turnover double",
        "currency varchar",
        "dt varchar",
    ]
    assert len(lines) == 5
    assert lines[-1].startswith("marts.daily_orders 2024-01-02..2024-01-02: the first 2 rows, ")
    assert lines[-1].endswith("nothing published")
    value = json.loads(cli("preview", "marts.daily_orders", "--date", "2024-01-02", "--json").out)
    assert len(value["rows"]) == 3
    assert value["more"] is False
    assert {row["dt"] for row in value["rows"]} == {"2024-01-02"}


def test_new_sql_joins_the_run(shop: Path, cli: Cli) -> None:
    assert cli("new", "sql", "marts.my_table").out == "sql/marts/my_table.sql\n"
    assert cli("check").status == 0
    said = cli("run", "daily", *DAYS, "--only", "marts.my_table")
    assert said.status == 0, said
    assert "marts.my_table  table  published     3" in said.out
    assert (shop / "sql" / "marts" / "my_table.sql").is_file()


@pytest.mark.usefixtures("shop")
def test_new_workflow_and_function(cli: Cli) -> None:
    assert cli("new", "workflow", "hourly").out == "workflows/hourly.yaml\n"
    assert cli("new", "lambda", "notify").out == "lambdas/notify/handler.py\n"
    assert cli("check").out == "4 tables and 2 workflows: no faults in local\n"
    said = cli("run", *DAYS)
    assert said.status == 2
    assert "found:    no workflow named" in said.err
    assert "daily, hourly" in said.err


def test_init(cli: Cli, tmp_path: Path) -> None:
    cli.cd(tmp_path)
    said = cli("init", "My Platform")
    assert said.status == 0
    assert "My Platform/config.yaml" in said.out.splitlines()
    assert "runner run daily" in said.err
    assert (tmp_path / "My Platform/config.yaml").read_text().count("my-platform") == 1
    assert cli("init", "My Platform").status == 2


def test_run_talks_on_standard_error_and_ends_on_standard_output(new_shop: Path, cli: Cli) -> None:
    said = cli("run", *DAYS)  # the only workflow needs no name
    assert said.status == 0
    first, *lines = said.err.splitlines()
    assert first.startswith("daily 2024-01-01..2024-01-03 (run daily-")
    assert lines[0].startswith("[1/7] raw.orders  done")
    assert lines[1].startswith("[2/7] staging.orders  done  12 rows")
    assert lines[-1].startswith("[7/7] report  done")
    assert "staging.orders                           table  published    12" in said.out
    assert "marts.daily_orders -> main:daily_orders  load   loaded        9" in said.out
    assert "look at the mart:  sqlite3 .runner/mart.sqlite .tables" in said.out
    assert "\x1b" not in said.out + said.err
    with closing(sqlite3.connect(new_shop / ".runner" / "mart.sqlite")) as mart:
        assert mart.execute("SELECT count(*) FROM daily_orders").fetchone() == (9,)


@pytest.mark.usefixtures("shop")
def test_run_counts_only_what_is_selected(cli: Cli) -> None:
    said = cli("run", "daily", *DAYS, "--only", "marts.customers", "--only", "marts.customers")
    assert [line[:5] for line in said.err.splitlines()[1:]] == ["[1/3]", "[2/3]", "[3/3]"]


@pytest.mark.usefixtures("shop")
def test_run_as_json_lines(cli: Cli) -> None:
    said = cli("run", "daily", *DAYS, "--json")
    assert (said.status, said.err) == (0, "")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["started", "ended"]
    assert {event["event"] for event in events[1:-1]} == {"progress"}
    assert events[-1]["status"] == "SUCCEEDED"
    assert {one["name"]: one["rows"] for one in events[-1]["ended"]}["staging.orders"] == 12
    assert events[-2]["done"] == events[-2]["total"] == 7


@pytest.mark.usefixtures("new_shop")
def test_run_without_a_window_takes_the_schedules(cli: Cli) -> None:
    said = cli("run", "daily", "--json", "--only", "raw.orders")
    assert said.status == 0
    first = json.loads(said.out.splitlines()[0])
    start, _, end = first["window"].partition("..")
    assert start == end


# --- defects --------------------------------------------------------------------------------------


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["plain", "debug"])
def test_a_defect_of_ours_asks_for_a_report(shop: Path, cli: Cli, debug: tuple[str, ...]) -> None:
    (shop / ".runner" / "catalog.sqlite").write_text("this is no database, whatever its name says")
    said = cli("run", "daily", *DAYS, *debug)
    assert said.status == 70
    assert "runner met a defect of its own: DatabaseError" in said.err
    assert "Please report it" in said.err
    assert ("Traceback" in said.err) == bool(debug)


@pytest.mark.parametrize("words", [("--debug", "compile", "x"), ("compile", "x", "--debug")])
@pytest.mark.usefixtures("shop")
def test_debug_shows_where_an_error_comes_from(cli: Cli, words: tuple[str, ...]) -> None:
    said = cli(*words)
    assert said.status == 2
    assert "Traceback (most recent call last)" in said.err
    assert said.err.rstrip().endswith("1 fault found")


def test_gc_lists_first_and_deletes_when_told(shop: Path, cli: Cli) -> None:
    """What was run just now is all needed; hours later its records are put together."""
    said = cli("gc")
    assert (said.status, said.out) == (0, "nothing to delete\n")
    assert said.err == ""
    tables = shop / ".runner/s3/lake/marts"
    orders = next(path for path in tables.rglob("*.parquet") if path.is_file())
    stray = orders.with_name("stray")
    stray.write_bytes(b"x" * 2000)
    long_ago = 1_700_000_000
    os.utime(stray, (long_ago, long_ago))
    said = cli("gc")
    assert "orphan (stays)        1  2.0 kB  files in tables of ours" in said.out
    assert said.err == ""
    found = cli("gc", "--orphans", "--json")
    assert [one["kind"] for one in json.loads(found.out)["found"]] == ["orphan"]
    assert found.err == "nothing was changed; --yes does it without asking\n"
    assert stray.exists()
    said = cli("gc", "--orphans", "--yes")
    assert said.out.count("orphan") == 2
    assert not stray.exists()
    assert cli("gc", "--older-than", "5m").status == 2


def test_drop_shows_what_goes_and_asks(shop: Path, cli: Cli) -> None:
    said = cli("drop", "marts.daily_orders", "--data")
    assert said.status == 0
    assert said.out.startswith("marts.daily_orders: in the catalogue\n  marts/daily_orders/g=1/  ")
    assert "  1 record\n" in said.out
    assert "note: sql/marts/daily_orders.sql is still there" in said.err
    assert said.err.endswith("nothing was changed; --yes does it without asking\n")
    assert (shop / ".runner/s3/lake/marts/daily_orders").exists()
    said = cli("drop", "marts.daily_orders", "--data", "--yes")
    assert said.out.endswith("\ndropped marts.daily_orders\n")
    assert not (shop / ".runner/s3/lake/marts/daily_orders").exists()
    said = cli("drop", "marts.daily_orders")
    assert said.status == 2
    assert "neither a table nor a record in local" in said.err


def test_adopt_takes_a_table_back(shop: Path, cli: Cli) -> None:
    said = cli("adopt", "marts.daily_orders")
    assert said.status == 1
    assert "found:    a table of this very project" in said.err
    connection = sqlite3.connect(shop / ".runner/catalog.sqlite")
    with connection:
        connection.execute(
            "UPDATE tables SET input = replace(input, '\"runner.project\"', '\"x\"')"
            " WHERE name = 'daily_orders'"
        )
    connection.close()
    said = cli("adopt", "marts.daily_orders")
    assert said.status == 0
    assert said.out.startswith("marts.daily_orders (insert) belongs to nobody\n  s3://lake/")
    assert "  3 partitions from 2024-01-01 to 2024-01-03: 3 files, " in said.out
    assert said.err == "nothing was changed; --yes does it without asking\n"
    said = cli("adopt", "marts.daily_orders", "--yes")
    assert said.status == 0
    assert re.search(r"\nadopted marts.daily_orders: [0-9]+ rows\n\Z", said.out)
    assert "published: 3 partitions" in cli("show", "marts.daily_orders").out
    assert cli("run", "daily", "--date", "2024-01-02").status == 0
