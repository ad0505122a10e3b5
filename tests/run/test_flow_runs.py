"""Steps that decide, repeat and call, in runs on this machine."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.run import RunRequest, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.app.run import RunResult

CONFIG = """
project: little
environments:
  local:
    engine: local
    connections:
      crm: {url: "%s", headers: {X-Api-Key: "${env:CRM_KEY}"}}
    tasks:
      scorer: {command: [sh]}
"""
HANDLER = """
def handler(event, context):
    if event.get("shop") == "bad":
        raise ValueError("no such shop")
    return {"shop": event.get("shop"), "start": event["start"]}
"""
SHOPS = "SELECT * FROM (VALUES ('a', 1), ('b', 2), ('%s', 3)) AS t (shop, n)"


class Server(ThreadingHTTPServer):
    """Answers with what it was asked; `/missing` is not there."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = {"path": self.path, "key": self.headers["X-Api-Key"], "body": json.loads(body)}
        self.server.asked.append(asked)
        found = self.path != "/missing"
        answer = json.dumps({"ok": found}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


class Project:
    """Workflows of a small project, run over three days."""

    def __init__(self, root: Path, url: str = "http://127.0.0.1:1") -> None:
        self.root = root
        self.write("config.yaml", CONFIG % url)
        self.write("lambdas/check/handler.py", HANDLER)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, steps: dict[str, Any], **others: dict[str, Any]) -> RunResult:
        for name, one in {"daily": steps, **others}.items():
            self.write(f"workflows/{name}.yaml", json.dumps({"steps": one}))
        request = RunRequest(self.root, workflow="daily", start="2024-01-01", end="2024-01-03")
        return run(request)

    def results(self, result: RunResult) -> dict[str, Any]:
        end = json.loads((self.root / f".runner/runs/{result.run}/end.json").read_text())
        return {one["name"]: one for one in end["output"]["results"]}


@pytest.fixture
def little(tmp_path: Path) -> Project:
    return Project(tmp_path)


def count(rows: int) -> dict[str, Any]:
    rows_of = ", ".join(f"({n}, '2024-01-0{n}')" for n in range(1, rows + 1))
    return {
        "type": "sql",
        "sql": f"SELECT count(*) AS n, max(day) AS last FROM (VALUES {rows_of}) AS t (n, day) "
        "WHERE day BETWEEN '{{ start }}' AND '{{ end }}' "
        "AND day > '{{ start.add(days=-1).format('yyyy-MM-dd') }}'",
    }


@pytest.mark.parametrize(("rows", "chosen"), [(2, "few"), (5, "many")])
def test_a_number_of_a_query_decides(rows: int, chosen: str, little: Project) -> None:
    steps = {
        "count": count(rows),
        "route": {
            "type": "choice",
            "needs": ["count"],
            "rules": [{"if": "$values.count.n > 2", "then": "many"}],
            "default": "few",
        },
        "many": {"type": "lambda", "function": "check"},
        "few": {"type": "lambda", "function": "check"},
    }
    result = little.run(steps)
    assert result.status == "SUCCEEDED"
    found = little.results(result)
    assert found["count"]["value"] == {"n": min(rows, 3), "last": f"2024-01-0{min(rows, 3)}"}
    assert found["route"]["value"] == [chosen]
    statuses = {one.name: one.status for one in result.ended}
    other = "few" if chosen == "many" else "many"
    assert statuses == {
        "count": "succeeded",
        "route": "succeeded",
        chosen: "succeeded",
        other: "skipped",
    }


def test_a_workflow_runs_another_and_hears_its_values(little: Project) -> None:
    steps = {
        "other": {"type": "workflow", "workflow": "inner"},
        "check": {
            "type": "lambda",
            "function": "check",
            "payload": {"shop": "{% $string($values.other.values.count.n) %}"},
            "needs": ["other"],
        },
    }
    result = little.run(steps, inner={"count": count(2)})
    assert result.status == "SUCCEEDED"
    assert little.results(result)["check"]["value"]["shop"] == "2"
    assert {one.name: one.status for one in result.ended} == {
        "other": "succeeded",
        "check": "succeeded",
    }


def test_a_workflow_that_fails_inside_is_explained(little: Project) -> None:
    fails = {"check": {"type": "lambda", "function": "check", "payload": {"shop": "bad"}}}
    result = little.run({"other": {"type": "workflow", "workflow": "inner"}}, inner=fails)
    assert result.status == "FAILED"
    assert "check failed: ValueError: no such shop" in result.cause


def test_a_request_goes_out_with_its_connections_key(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_KEY", "secret")
    project = Project(tmp_path, f"http://127.0.0.1:{server.server_port}")
    ask = {
        "type": "http",
        "endpoint": "https://crm.example.com/orders",
        "connection": "crm",
        "method": "POST",
        "query": {"day": "{% $window.start %}"},
        "body": {"end": "{% $window.end %}"},
    }
    result = project.run({"ask": ask})
    assert project.results(result)["ask"]["value"] == {"ok": True}
    assert server.asked == [
        {"path": "/orders?day=2024-01-01", "key": "secret", "body": {"end": "2024-01-03"}}
    ]
    result = project.run(
        {"ask": {**ask, "endpoint": "https://crm.example.com/missing", "query": {}}}
    )
    assert "States.Http.StatusCode.404" in result.cause
    monkeypatch.delenv("CRM_KEY")
    result = project.run({"ask": ask})
    assert "the environment variable CRM_KEY" in result.cause


@pytest.mark.parametrize(
    ("third", "tolerated", "status"),
    [("c", 0, "SUCCEEDED"), ("bad", 1, "SUCCEEDED"), ("bad", 0, "FAILED")],
)
def test_rows_of_a_query_are_items(
    third: str, tolerated: int, status: str, little: Project
) -> None:
    steps = {
        "shops": {"type": "sql", "sql": SHOPS % third},
        "each": {
            "type": "map",
            "over": {"rows": "shops"},
            "tolerated": {"count": tolerated},
            "step": {
                "type": "lambda",
                "function": "check",
                "payload": {"shop": "{% $item.shop %}", "first": "{% $values.shops.shop %}"},
            },
            "needs": ["shops"],
        },
    }
    result = little.run(steps)
    assert result.status == status
    if status == "SUCCEEDED":
        value = little.results(result)["each"]["value"]
        assert value["bucket"] == "results"
        folder = (little.root / ".runner/s3/results" / value["key"]).parent
        told = json.loads((folder / "SUCCEEDED_0.json").read_text())
        outputs = [json.loads(one["Output"]) for one in told]
        assert sorted(one["value"]["shop"] for one in outputs) == ["a", "b", "c"][: 3 - tolerated]
        assert {one["value"]["start"] for one in outputs} == {"2024-01-01"}
    else:
        assert "each failed: " in result.cause


WAITING = """
project: little
environments:
  local:
    engine: local
    crawlers:
      a: {paths: ["s3://raw/a/"], database: raw}
      b: {paths: ["s3://raw/b/"], database: raw}
    glue_jobs:
      note: {script: jobs/note.py}
    builds:
      site: {command: [sh, -c, "echo $DAY > built-$SHOP-$CODEBUILD_SOURCE_VERSION.txt"]}
"""
NOTE = """
import pathlib, sys
pathlib.Path(f"noted-{sys.argv[-1]}").write_text(" ".join(sys.argv[1:]))
"""


def each(step: dict[str, Any], *, apart: bool) -> dict[str, Any]:
    over: Any = {"rows": "shops"} if apart else [{"shop": "a", "n": "1"}, {"shop": "b", "n": "2"}]
    return {"type": "map", "over": over, "step": step, "needs": ["shops"]}


@pytest.mark.parametrize("apart", [False, True], ids=["inline", "apart"])
def test_a_map_repeats_steps_that_wait(
    apart: bool,  # noqa: FBT001 - a case
    little: Project,
) -> None:
    little.write("config.yaml", WAITING)
    little.write("jobs/note.py", NOTE)
    for name in ("a", "b"):
        little.write(f".runner/s3/raw/{name}/x.json", '{"id": 1}')
    asked = {
        "type": "sql",
        "sql": "SELECT shop, m, '{{ end }}' AS day FROM (VALUES ('a', 7), ('b', 8)) AS t (shop, m) "
        "WHERE shop = ? AND m = ?",
        "parameters": ["{% $item.shop %}", "{% 6 + $number($item.n) %}"],
    }
    job = {"job": "note", "arguments": {"day": "{{ start }}", "shop": "{% $item.shop %}"}}
    build = {"project": "site", "environment": {"SHOP": "{% $item.shop %}", "DAY": "{{ end }}"}}
    crawl = {"type": "crawler", "name": "{% $item.shop %}"}
    steps = {
        "shops": {"type": "sql", "sql": SHOPS.replace(", ('%s', 3)", "")},
        "ask": each(asked, apart=apart),
        "note": each({"type": "glue_job", **job}, apart=apart),
        "build": each({"type": "codebuild", **build}, apart=apart),
        "crawl": each(crawl, apart=apart),
    }
    result = little.run(steps)
    assert result.status == "SUCCEEDED", result.cause
    found = little.results(result)
    for shop in ("a", "b"):
        noted = (little.root / f"noted-{shop}").read_text()
        assert noted.endswith(f"--day 2024-01-01 --shop {shop}")
    days = [path.read_text().strip() for path in sorted(little.root.glob("built-*"))]
    assert days == ["2024-01-03"] * 2
    told = outputs(little, found["ask"]["value"]) if apart else found["ask"]["value"]["items"]
    assert sorted(one["value"]["shop"] for one in told) == ["a", "b"]
    assert sorted(one["value"]["m"] for one in told) == [7, 8]
    assert {one["value"]["day"] for one in told} == {"2024-01-03"}


def outputs(little: Project, value: dict[str, Any]) -> list[dict[str, Any]]:
    """Read what came of the items of a distributed map."""
    folder = (little.root / ".runner/s3/results" / value["key"]).parent
    told = json.loads((folder / "SUCCEEDED_0.json").read_text())
    return [json.loads(one["Output"]) for one in told]


def test_objects_below_a_prefix_are_items(little: Project) -> None:
    for name in ("x", "y"):
        little.write(f".runner/s3/inbox/in/{name}.csv", "1")
    steps = {
        "each": {
            "type": "map",
            "over": {"objects": "s3://inbox/in/"},
            "step": {"type": "lambda", "function": "check", "payload": {"shop": "{% $item.Key %}"}},
        }
    }
    value = little.results(little.run(steps))["each"]["value"]
    folder = (little.root / ".runner/s3/results" / value["key"]).parent
    told = json.loads((folder / "SUCCEEDED_0.json").read_text())
    shops = sorted(json.loads(one["Output"])["value"]["shop"] for one in told)
    assert shops == ["in/x.csv", "in/y.csv"]


@pytest.mark.parametrize(
    ("family", "script", "told"),
    [
        ("scorer", 'test "$START $MODE" = "2024-01-01 fast"', ""),
        ("scorer", "echo no memory; exit 9", "main: exit status 9"),
        ("other", "true", "Say under `tasks` of the local environment"),
    ],
)
def test_a_program_stands_for_a_task(family: str, script: str, told: str, little: Project) -> None:
    step = {
        "type": "ecs_task",
        "task_definition": family,
        "container": "main",
        "command": ["-c", script],
        "environment": {"MODE": "fast"},
    }
    result = little.run({"job": step})
    assert result.status == ("FAILED" if told else "SUCCEEDED")
    assert told in result.cause
