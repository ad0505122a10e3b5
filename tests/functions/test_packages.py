"""What is deployed as functions: the keeper, the project's own, with what they need."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import open_bundle
from runner.app.functions import deployed_functions
from runner.app.packages import (
    function_facts,
    keeper_facts,
    package_all,
    package_function,
    package_keeper,
)
from runner.errors import ProjectError
from runner.model.function import FunctionSettings
from runner.plan.stack.facts import FunctionFacts, Grant
from tests.project.projects import good_project, write_files
from tests.support.wheels import make_wheel, only_index

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/api-AbCdEf"
SETTINGS = f"""description: Tells the shops.
memory: 256
timeout: 90s
disk: 1024
runtime: python3.13
architecture: arm64
environment: {{LANGUAGE: en}}
secrets: {{API_KEY: "{SECRET}"}}
permissions:
  - {{actions: [dynamodb:PutItem], resources: ["arn:aws:dynamodb:*:*:table/x"]}}
network: true
"""


def names_in(body: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def settings(**given: Any) -> dict[str, Any]:  # noqa: ANN401 - values of any field
    return FunctionSettings.model_validate(given).model_dump(mode="json")


def test_the_keeper_is_small_and_whole() -> None:
    package = package_keeper("America/Argentina/Salta")
    names = names_in(package.body)
    assert names == sorted(names)
    assert {"keeper/__init__.py", "keeper/handler.py", "keeper/windows.py"} <= set(names)
    zones = [name for name in names if not name.startswith("keeper/")]
    assert [name for name in zones if not name.endswith("/__init__.py")] == [
        "tzdata/zoneinfo/America/Argentina/Salta",
        "tzdata/zoneinfo/UTC",
    ]
    assert all(name.endswith(".py") for name in names if name.startswith("keeper/"))
    assert len(package.body) < 100_000
    assert package.handler == "keeper.handler.handle"
    assert package == package_keeper("America/Argentina/Salta")


def test_a_function_is_packed_with_its_dependencies(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "greeting", "1.0")
    files = {
        "lambdas/tell/handler.py": "import greeting\ndef handler(event, context):\n    return 1\n",
        "lambdas/tell/requirements.txt": "greeting\n",
        "lambdas/tell/tests/test_it.py": "",
    }
    root = write_files(tmp_path / "project", files)
    told: list[str] = []
    environ = only_index(tmp_path / "wheels")
    package = package_function(root, "tell", settings(), environ=environ, tell=told.append)
    assert names_in(package.body) == [
        "greeting-1.0.dist-info/METADATA",
        "greeting-1.0.dist-info/WHEEL",
        "greeting-1.0.dist-info/entry_points.txt",
        "greeting/__init__.py",
        "handler.py",
    ]
    assert package.handler == "handler.handler"
    assert len(told) == 1
    again = package_function(root, "tell", settings(), environ={}, tell=told.append)
    assert (again, len(told)) == (package, 1)
    write_files(root, {"lambdas/tell/handler.py": "def handler(event, context): return 2\n"})
    changed = package_function(root, "tell", settings(), environ={})
    assert changed.sha256 != package.sha256


def test_every_fault_of_every_function_at_once(tmp_path: Path) -> None:
    root = write_files(
        good_project(tmp_path),
        {
            "lambdas/one/handler.py": "import runner\n",
            "lambdas/two/handler.py": "from runner import errors\n",
            "lambdas/two/requirements.txt": "-e ./here\n",
        },
    )
    with pytest.raises(ProjectError) as caught:
        package_all(root, open_bundle(root))
    assert [(str(fault.place), fault.code) for fault in caught.value.faults] == [
        ("lambdas/one/handler.py:1:1", "function-imports-runner"),
        ("lambdas/two/handler.py:1:1", "function-imports-runner"),
        ("lambdas/two/requirements.txt:1", "requirement-not-packable"),
    ]


def test_what_function_yaml_says_reaches_the_stack(tmp_path: Path) -> None:
    files = {"lambdas/tell/handler.py": "", "lambdas/tell/function.yaml": SETTINGS}
    bundle = open_bundle(write_files(good_project(tmp_path), files))
    assert "tell" in deployed_functions(bundle)
    assert function_facts(bundle, "tell", code_uri="s3://a/b.zip") == FunctionFacts(
        name=f"{bundle.prefix}-tell",
        handler="handler.handler",
        code_uri="s3://a/b.zip",
        runtime="python3.13",
        architecture="arm64",
        memory_mib=256,
        timeout_s=90,
        disk_mib=1024,
        environment=(("API_KEY", SECRET), ("LANGUAGE", "en")),
        grants=(
            Grant(("dynamodb:PutItem",), ("arn:aws:dynamodb:*:*:table/x",)),
            Grant(("secretsmanager:GetSecretValue",), (SECRET,)),
        ),
        description="Tells the shops.",
        network=True,
    )


def test_a_secret_that_is_named_without_its_last_six_characters_may_be_read(
    tmp_path: Path,
) -> None:
    """IAM compares the whole ARN; the call itself takes a partial one."""
    partial = SECRET.removesuffix("-AbCdEf")
    text = f'secrets: {{API: "{partial}"}}\n'
    files = {"lambdas/tell/handler.py": "", "lambdas/tell/function.yaml": text}
    facts = function_facts(
        open_bundle(write_files(good_project(tmp_path), files)), "tell", code_uri="s3://a/b.zip"
    )
    assert facts.environment == (("API", partial),)
    assert facts.grants == (Grant(("secretsmanager:GetSecretValue",), (f"{partial}-??????",)),)


STREAMS = """
streams:
  events: {transform: "builtin:firehose_flatten", prefix: "events/"}
  rows: {transform: rows, prefix: "rows/"}
  orders:
    transform: rows
    prefix: "orders/"
    source: arn:aws:kinesis:eu-west-1:123456789012:stream/orders
"""


def test_a_function_of_ours_puts_again_into_the_streams_that_it_changes_and_no_others(
    tmp_path: Path,
) -> None:
    root = good_project(tmp_path)
    config = root / "config.yaml"
    files = {
        "config.yaml": config.read_text() + STREAMS,
        "lambdas/rows/function.yaml": "uses: builtin:dynamodb_to_csv\nenvironment: {COLUMNS: id}\n",
        "lambdas/own/handler.py": "",
        "lambdas/own/function.yaml": (
            "permissions:\n  - actions: [kinesis:PutRecords]\n"
            '    resources: ["arn:aws:kinesis:*:*:stream/*"]\n'
        ),
    }
    bundle = open_bundle(write_files(root, files))
    may = {
        name: function_facts(bundle, name, code_uri="s3://a/b.zip").grants
        for name in ("builtin:firehose_flatten", "rows", "own")
    }
    ours = f"arn:aws:firehose:*:*:deliverystream/{bundle.prefix}-"
    assert may == {
        "builtin:firehose_flatten": (Grant(("firehose:PutRecordBatch",), (f"{ours}events",)),),
        "rows": (
            Grant(("firehose:PutRecordBatch",), (f"{ours}rows",)),
            Grant(
                ("kinesis:PutRecords",), ("arn:aws:kinesis:eu-west-1:123456789012:stream/orders",)
            ),
        ),
        "own": (Grant(("kinesis:PutRecords",), ("arn:aws:kinesis:*:*:stream/*",)),),
    }


def test_the_keeper_knows_its_lake(tmp_path: Path) -> None:
    bundle = open_bundle(good_project(tmp_path))
    facts = keeper_facts(bundle, code_uri="s3://a/k.zip")
    assert facts.name == f"{bundle.prefix}-keeper"
    assert facts.environment == (("RUNNER_LAKE", "s3://lake/"),)
    assert (facts.timeout_s, facts.runtime) == (900, "python3.12")


def test_changed_settings_are_compiled_anew(tmp_path: Path) -> None:
    root = write_files(good_project(tmp_path), {"lambdas/tell/handler.py": ""})
    assert open_bundle(root).function_settings["tell"]["memory"] == 512
    write_files(root, {"lambdas/tell/function.yaml": "memory: 1024\n"})
    assert open_bundle(root).function_settings["tell"]["memory"] == 1024
    assert open_bundle(root).function_settings["tell"]["memory"] == 1024  # from the cache
