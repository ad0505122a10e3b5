"""A workflow that exports its tables and runs a transfer, from its files to its Parquet."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import duckdb

from tests.semantics.little import CONFIG, codes, ended, go, insert, project, rows_of, sql

if TYPE_CHECKING:
    from pathlib import Path

EXPORT = 'out: {type: bigquery_transfer, needs: [tables], tables: ["marts.*"]'
ROWS = rows_of((1, "2024-01-05"), (2, "2024-01-06"), (3, "2024-01-06"))
QUERY = (
    "SELECT id, CAST(id AS decimal(10,2)) AS price, ARRAY[id, 7] AS ids, "
    "CAST(ROW(id, 'x') AS ROW(n integer, s varchar)) AS pair, dt "
    f"FROM {ROWS} WHERE dt BETWEEN '{{{{ start }}}}' AND '{{{{ end }}}}'"
)


def made(folder: Path, more: str = "}", **files: str) -> Path:
    workflow = f"steps:\n  tables: {{type: tables}}\n  {EXPORT}{more}\n"
    tables = {"marts/x": insert(QUERY), "marts/whole": sql("SELECT 1 AS a")}
    return project(folder, {**tables, "workflows/daily.yaml": workflow, **files})


def exported(root: Path, table: str = "marts.x") -> dict[str, list[str]]:
    """Give the files of each period."""
    found: dict[str, list[str]] = {}
    base = root / f".runner/s3/lake/exports/daily/out/{table}"
    for file in sorted(base.rglob("*.parquet")):
        found.setdefault(file.relative_to(base).parts[0], []).append(str(file))
    return found


def test_tables_are_exported_with_their_schema_and_again(tmp_path: Path) -> None:
    root = made(tmp_path)
    assert go(root, "2024-01-05", "2024-01-07").status == "SUCCEEDED"
    first = exported(root)
    assert list(first) == ["2024-01-05", "2024-01-06"]  # nothing was sold on the 7th
    (file,) = first["2024-01-05"]
    with duckdb.connect() as connection:
        (row,) = connection.execute(f"SELECT * FROM '{file}'").fetchall()
    assert (row[0], str(row[1]), row[2], row[3], row[4]) == (
        1, "1.00", [1, 7], {"n": 1, "s": "x"}, "2024-01-05",
    )  # fmt: skip
    schema = json.loads(
        (root / ".runner/s3/lake/exports/daily/out/marts.x/schema.json").read_text()
    )
    assert [(one["name"], one["type"], one["mode"]) for one in schema] == [
        ("id", "INT64", "NULLABLE"),
        ("price", "NUMERIC", "NULLABLE"),
        ("ids", "INT64", "REPEATED"),
        ("pair", "STRUCT", "NULLABLE"),
        ("dt", "STRING", "NULLABLE"),
    ]
    (whole,) = exported(root, "marts.whole")["all"]
    assert go(root, "2024-01-06").status == "SUCCEEDED"
    second = exported(root)
    assert second["2024-01-05"] == first["2024-01-05"]
    assert len(second["2024-01-06"]) == 1
    assert second["2024-01-06"] != first["2024-01-06"]
    assert [whole] != exported(root, "marts.whole")["all"]


def test_a_name_that_bigquery_does_not_take_fails_the_step_in_plain_words(tmp_path: Path) -> None:
    root = made(tmp_path, **{"sql/marts/whole.sql": 'SELECT 1 AS "a-b"\n'})
    found = ended(go(root, "2024-01-05"))
    assert found["marts.whole"].status == "published"
    assert found["out"].status == "failed"
    assert "the column a-b" in found["out"].message


def test_a_transfer_runs_after_the_export(tmp_path: Path) -> None:
    asked: list[str] = []

    class Google(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.tell({} if "states" in self.path else {"name": "runs/1", "state": "SUCCEEDED"})

        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.tell({"runs": [{"name": "runs/1", "state": "PENDING"}]})

        def tell(self, answer: dict[str, Any]) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Google)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    function = f"uses: builtin:bigquery_transfer\nenvironment: {{DATA_TRANSFER_HOST: '{host}'}}\n"
    more = ", transfer: projects/p/transferConfigs/c, function: google, poll: 1s}"
    root = made(tmp_path, more, **{"lambdas/google/function.yaml": function})
    try:
        assert go(root, "2024-01-05").status == "SUCCEEDED"
    finally:
        server.shutdown()
        server.server_close()
    config = "/v1/projects/p/transferConfigs/c"
    assert asked == [
        f"GET {config}/runs?states=PENDING&states=RUNNING",
        '{"requestedRunTime": "2024-01-05T00:00:00Z"}',
        f"POST {config}:startManualRuns",
        "GET /v1/runs/1",
    ]


def test_redshift_is_refused_here_by_name(tmp_path: Path) -> None:
    step = "rs: {type: redshift, workgroup: wg-1, database: dev, sql: SELECT 1}"
    root = project(
        tmp_path,
        {"marts/x": sql("SELECT 1 AS a"), "workflows/daily.yaml": f"steps:\n  {step}\n"},
        config=CONFIG,
    )
    found = ended(go(root, "2024-01-05"))
    assert found["rs"].status == "failed"
    assert "Name a PostgreSQL under `redshift:`" in found["rs"].message


def test_a_function_that_is_not_there_is_told(tmp_path: Path) -> None:
    root = made(tmp_path, ", transfer: projects/p/transferConfigs/c, function: nope}")
    assert codes(root) == ["unknown-function"]
    root = made(tmp_path / "other", "}").parent / "project"
    assert codes(root) == []
