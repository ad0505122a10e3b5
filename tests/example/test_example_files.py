"""The example's own files: headers, workflows, the log's table, the functions."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from runner.model.config import Config, LocalEnvironment, SqliteMart
from runner.model.header import Header, Kind
from runner.model.workflow import LambdaStep, Workflow
from tests.example import expected

if TYPE_CHECKING:
    from collections.abc import Callable

SQL = expected.ROOT / "sql"
KINDS = {
    "app.requests": Kind.INSERT,
    "app.users": Kind.CTAS,
    "app.watches": Kind.INSERT,
    "app_marts.campaigns": Kind.INSERT,
    "app_marts.daily_activity": Kind.INSERT,
    "app_marts.users_by_age": Kind.CTAS,
    "app_marts.watched_flights": Kind.INSERT,
    "app_raw.logs": Kind.DDL,
    "app_raw.users": Kind.DDL,
    "app_raw.watches": Kind.DDL,
    "raw.airlines": Kind.DDL,
    "raw.airports": Kind.DDL,
    "raw.alb": Kind.DDL,
    "raw.flights": Kind.DDL,
    "raw.planes": Kind.DDL,
    "raw.weather": Kind.DDL,
    "staging.flights": Kind.INSERT,
    "staging.weather": Kind.INSERT,
    "marts.alb_status_hourly": Kind.INSERT,
    "marts.carrier_delay_7d": Kind.INSERT,
    "marts.carrier_names": Kind.VIEW,
    "marts.daily_carrier_delay": Kind.INSERT,
    "marts.hourly_delay_weather": Kind.INSERT,
    "marts.route_summary": Kind.CTAS,
    "marts.route_summary_by_origin": Kind.CTAS,
}
LOADED = {
    "app_marts.campaigns",
    "app_marts.daily_activity",
    "app_marts.users_by_age",
    "app_marts.watched_flights",
    "marts.alb_status_hourly",
    "marts.carrier_delay_7d",
    "marts.daily_carrier_delay",
    "marts.hourly_delay_weather",
    "marts.route_summary",
}


def split(table: str) -> tuple[Header, str]:
    text = (SQL / f"{table.replace('.', '/')}.sql").read_text()
    found = re.fullmatch(r"/\*---\n(.*?)---\*/\n(.*)", text, re.DOTALL)
    assert found is not None
    return Header.model_validate(yaml.safe_load(found[1])), found[2]


def handler(name: str) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    path = expected.ROOT / "lambdas" / name / "handler.py"
    spec = importlib.util.spec_from_file_location(f"example_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[dict[str, Any], object], dict[str, Any]] = module.handler
    return found


# --- Headers, config, workflows ------------------------------------------------------------------


def test_the_files_are_these_tables() -> None:
    names = {f"{path.parent.name}.{path.stem}" for path in SQL.glob("*/*.sql")}
    assert {name for name in names if not name.startswith("macros.")} == set(KINDS)


@pytest.mark.parametrize("table", KINDS)
def test_a_header_is_valid_and_describes_its_table(table: str) -> None:
    header, _ = split(table)
    assert header.resolved_kind() is KINDS[table]
    assert header.description.endswith(".")
    assert (header.load is not None) == (table in LOADED)
    if KINDS[table] in (Kind.INSERT, Kind.CTAS):
        assert header.tests


@pytest.mark.parametrize("table", [name for name, kind in KINDS.items() if kind is Kind.INSERT])
def test_a_daily_table_ends_with_dt_and_can_see_today(table: str) -> None:
    """SEMANTICS 24: NOW is UTC, the project is not."""
    header, sql = split(table)
    assert list(header.partition) == ["dt"]
    assert header.partition["dt"].range == "2013-01-01,NOW+1DAYS"
    selected = sql.rpartition("\nFROM ")[0].rstrip()
    assert re.search(r"\bdt$", selected)


def test_the_default_environment_needs_nothing() -> None:
    config = Config.model_validate(yaml.safe_load((expected.ROOT / "config.yaml").read_text()))
    local = config.environments["local"]
    assert isinstance(local, LocalEnvironment)
    assert local.buckets == {"flights-raw": "data"}
    assert isinstance(local.marts["main"], SqliteMart)
    assert set(config.environments) == {"local", "local_mysql", "prod"}


@pytest.mark.parametrize("name", ["daily", "carrier_load"])
def test_a_workflow_is_valid_and_calls_functions_that_exist(name: str) -> None:
    path = expected.ROOT / "workflows" / f"{name}.yaml"
    workflow = Workflow.model_validate(yaml.safe_load(path.read_text()))
    functions = [s.function for s in workflow.steps.values() if isinstance(s, LambdaStep)]
    assert len(functions) == 1
    assert (expected.ROOT / "lambdas" / functions[0] / "handler.py").is_file()


# --- The load balancer's table -------------------------------------------------------------------


def input_regex() -> str:
    """Take the expression from the DDL; in its literal a backslash stands before \\ and "."""
    _, ddl = split("raw.alb")
    found = re.search(r"'input\.regex' = '(.*)'\n", ddl)
    assert found is not None
    return re.sub(r"\\(.)", r"\1", found[1])


def log_columns() -> list[str]:
    _, ddl = split("raw.alb")
    return re.findall(r"^    (\w+) (?:string|int|bigint|double),?$", ddl, re.MULTILINE)


def test_every_line_of_the_log_fits_the_expression() -> None:
    pattern, columns = re.compile(input_regex()), log_columns()
    assert len(columns) == 34
    assert pattern.groups == 35  # the last takes fields that AWS may add
    lines = [line for path in expected.log_files() for line in expected.log_lines(path)]
    assert len(lines) > 5_000
    for line in lines:
        found = pattern.fullmatch(line)
        assert found, line
        row = dict(zip(columns, found.groups(), strict=False))
        fields = [a or b for a, b in re.findall(r'"([^"]*)"|(\S+)', line)]
        assert row["elb_status_code"] == fields[8]
        assert row["sent_bytes"] == fields[11]
        assert row["user_agent"] == fields[13]
        assert row["conn_trace_id"] == fields[-1]
        assert f"{row['client_ip']}:{row['client_port']}" == fields[3]


# A line as the Elastic Load Balancing guide lays it out, written by hand.
HTTPS_LINE = (
    "https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 "
    "192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "
    '"GET https://www.example.com:443/a b HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 '
    "TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 "
    '"Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm:c/1" 1 '
    '2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        pytest.param(
            HTTPS_LINE,
            {"request_verb": "GET", "request_url": "https://www.example.com:443/a b"},
            id="without a trace id of the connection, with a space in the URL",
        ),
        pytest.param(
            HTTPS_LINE + " TID_1 more fields",
            {"conn_trace_id": "TID_1", "classification": "-"},
            id="with fields that were added later",
        ),
        pytest.param(
            HTTPS_LINE.replace("10.0.0.1:80 0.086 0.048 0.037", "- -1 -1 -1"),
            {"target_ip": "", "target_port": "", "target_processing_time": "-1"},
            id="without a target",
        ),
        pytest.param(
            HTTPS_LINE.replace("192.168.131.39:2817", "2001:db8::1:443"),
            {"client_ip": "2001:db8::1", "client_port": "443"},
            id="IPv6",
        ),
    ],
)
def test_the_expression_takes_lines_apart(line: str, wanted: dict[str, str]) -> None:
    found = re.fullmatch(input_regex(), line)
    assert found
    row = dict(zip(log_columns(), found.groups(), strict=False))
    assert {name: row[name] for name in wanted} == wanted


# --- The functions -------------------------------------------------------------------------------


def entry(
    name: str, *, kind: str = "table", status: str = "published", **result: object
) -> dict[str, Any]:
    return {"step": "s", "name": name, "kind": kind, "status": status, "result": result or None}


def event(*entries: dict[str, Any], **more: object) -> dict[str, Any]:
    window = {"start": "2013-01-01", "end": "2013-01-31"}
    return {"workflow": "daily", **window, "results": list(entries), **more}


def test_the_report_tells_rows_and_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    given = event(
        entry("raw.flights", status="unchanged"),
        entry("staging.flights", rows=27_004, warnings=["min_rows: 400: 1 offending"]),
        entry("marts.carrier_names"),
        entry("marts.x", kind="load", status="loaded", rows=460),
    )
    result = handler("report")(given, None)
    assert result["rows"] == 27_004
    assert result["text"].splitlines() == [
        "daily 2013-01-01..2013-01-31",
        "3 tables, 27,004 rows published; 1 loads",
        "table  unchanged          0  raw.flights",
        "table  published     27,004  staging.flights  min_rows: 400: 1 offending",
        "table  published          0  marts.carrier_names",
        "load   loaded           460  marts.x",
    ]
    assert capsys.readouterr().out.strip() == result["text"]


def test_a_report_of_nothing_is_short() -> None:
    assert handler("report")(event(), None)["rows"] == 0


LEAST = {"table": "marts.daily_carrier_delay", "min_rows_per_day": 10}


def test_plausible_rows_pass() -> None:
    given = event(entry("marts.daily_carrier_delay", rows=460, partitions=31), **LEAST)
    assert handler("validate")(given, None) == {
        "table": "marts.daily_carrier_delay",
        "rows_per_day": 460 / 31,
    }


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ((), "marts.daily_carrier_delay was not published by this run"),
        (
            (entry("marts.daily_carrier_delay", status="failed"),),
            "marts.daily_carrier_delay was not published by this run",
        ),
        (
            (entry("marts.daily_carrier_delay", rows=309, partitions=31),),
            "has 309 rows for 2013-01-01..2013-01-31, fewer than 10 a day",
        ),
    ],
)
def test_too_few_rows_stop_the_load(entries: tuple[dict[str, Any], ...], message: str) -> None:
    with pytest.raises(Exception, match=re.escape(message)) as stopped:
        handler("validate")(event(*entries, **LEAST), None)
    assert type(stopped.value).__name__ == "SuspiciousRows"
