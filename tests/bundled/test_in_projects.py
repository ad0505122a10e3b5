"""Bundled functions in a project: their settings, packages, and a stream on this machine."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.packages import package_function
from tests.project.projects import write_files

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """project: shop
streams:
  events: {transform: "builtin:firehose_flatten", prefix: "events/dt=!{timestamp:yyyy-MM-dd}/"}
  changes: {transform: order_rows, prefix: "orders/", compression: none}
environments:
  local: {engine: local}
"""
ROWS = """uses: builtin:dynamodb_to_csv
environment: {COLUMNS: "id, price, @event"}
"""
LAKE = """uses: builtin:dynamodb_to_lake
environment: {TO: "s3://shop-lake/changes/"}
permissions:
  - {actions: [s3:GetObject, s3:PutObject], resources: ["arn:aws:s3:::shop-lake/changes/*"]}
  - {actions: [s3:ListBucket], resources: ["arn:aws:s3:::shop-lake"]}
events:
  orders: {type: dynamodb, stream: "arn:aws:dynamodb:us-east-1:123456789012:table/o/stream/2024"}
"""
FLAT = """uses: builtin:s3_flatten
environment: {TO: "s3://shop-lake/flat/", FROM: changes/}
events:
  written: {type: object, bucket: shop-lake, prefix: changes/}
"""
FILES = {
    "config.yaml": CONFIG,
    "lambdas/order_rows/function.yaml": ROWS,
    "lambdas/order_changes/function.yaml": LAKE,
    "lambdas/flat_changes/function.yaml": FLAT,
}


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("builtin:firehose_flatten", "flatten handler often records reingest skeleton template"),
        ("order_rows", "columns handler often plan records reingest rows shapes skeleton typed"),
        ("order_changes", "columnar direct handler lines often shapes skeleton store typed"),
        ("flat_changes", "flatten handler often skeleton template"),
    ],
)
def test_a_project_uses_them(tmp_path: Path, name: str, modules: str) -> None:
    root = write_files(tmp_path, FILES)
    settings = open_bundle(root).function_settings[name]
    package = package_function(root, name, settings)
    names = zipfile.ZipFile(io.BytesIO(package.body)).namelist()
    assert set(names) == {f"{module}.py" for module in modules.split()}
    assert package.handler == "handler.handler"


def put(root: Path, stream: str, given: bytes) -> dict[str, int]:
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "runner",
                "stream",
                "put",
                stream,
                "--at",
                "2024-05-06",
                "--json",
            )
        ],
        cwd=root,
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    return {key: told[key] for key in ("records", "dropped", "failed")}


def test_events_are_flattened_on_their_way(tmp_path: Path) -> None:
    root = write_files(tmp_path, FILES)
    given = b'{"user":{"id":1,"tags":["a"]},"n":1.50}\n\nno json\n'
    assert put(root, "events", given) == {"records": 3, "dropped": 1, "failed": 1}
    (good,) = (root / ".runner/s3/streams/events/dt=2024-05-06").iterdir()
    flat = b'{"user_id":1,"user_tags":"[\\"a\\"]","n":1.50}\n'
    assert gzip.decompress(good.read_bytes()) == flat


def test_changes_become_rows_on_their_way(tmp_path: Path) -> None:
    root = write_files(tmp_path, FILES)
    image = {"id": {"S": "o-1"}, "price": {"N": "9.90"}}
    record = {"eventName": "INSERT", "dynamodb": {"NewImage": image}}
    given = json.dumps(record).encode()
    assert put(root, "changes", given) == {"records": 1, "dropped": 0, "failed": 0}
    (good,) = (root / ".runner/s3/streams/orders").rglob("shop-*")
    assert good.read_bytes() == b'"o-1",9.90,"INSERT"\n'
