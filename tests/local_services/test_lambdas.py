"""Lambda on this machine: warm processes, the runtime's error names, functions of ours."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.local.lambdas import Function, Lambdas
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

HANDLER = """
import os, sys, time

class TooLate(Exception):
    pass

def handler(event, context):
    print("seen", event)
    match event.get("do"):
        case "pid":
            return os.getpid()
        case "raise":
            raise TooLate("by an hour")
        case "exit":
            os._exit(3)
        case "sleep":
            time.sleep(30)
        case "set":
            return {1, 2}
        case "context":
            left = context.get_remaining_time_in_millis()
            return [context.function_name, len(context.aws_request_id), 0 < left <= 5000]
        case "site":
            import duckdb
            return duckdb.__name__
        case "flags":
            return [sys.flags.isolated, os.environ.get("PYTHONPATH"), os.environ.get("GREETING")]
        case "stdin":
            return sys.stdin.read()
        case "big":
            return "x" * 3_000_000
    return {"got": event}
"""


@pytest.fixture
def lambdas(tmp_path: Path) -> Iterator[Lambdas]:
    functions = {}
    for name, body in {
        "report": HANDLER,
        "unparsable": "def handler(:\n",
        "needy": "import a_module_that_nobody_has\n",
        "mute": "x = 1\n",
        "rude": "raise RuntimeError('no')\n",
    }.items():
        folder = tmp_path / "lambdas" / name
        folder.mkdir(parents=True)
        (folder / "handler.py").write_text(body)
        functions[name] = Function(folder, 5.0)
    functions["slow"] = Function(tmp_path / "lambdas" / "report", 0.3)
    service = Lambdas(
        functions,
        in_process={"keeper": keeper},
        logs=tmp_path / "logs",
        environ={"GREETING": "hello", "PYTHONPATH": "/nowhere"},
    )
    yield service
    service.close()


class LeaseHeld(Exception):
    pass


def keeper(event: dict[str, Json], context: object) -> Json:
    if event.get("held"):
        raise LeaseHeld("by r1")
    event["changed"] = (1, 2)
    return event | {"name": context.function_name}  # type: ignore[attr-defined]


def invoke(service: Lambdas, name: str, payload: Json) -> Json:
    return service("invoke", {"FunctionName": name, "Payload": payload})


def failure(service: Lambdas, name: str, payload: Json) -> tuple[str, dict[str, Json]]:
    with pytest.raises(ServiceError) as caught:
        invoke(service, name, payload)
    return caught.value.error, json.loads(caught.value.cause)


def test_the_answer_has_the_shape_of_lambda_invoke(lambdas: Lambdas) -> None:
    assert invoke(lambdas, "report", {"k": ["ü", None]}) == {
        "ExecutedVersion": "$LATEST",
        "Payload": {"got": {"k": ["ü", None]}},
        "StatusCode": 200,
        "SdkHttpMetadata": {"HttpStatusCode": 200},
    }


def test_a_function_may_be_named_by_its_arn(lambdas: Lambdas) -> None:
    arn = "arn:aws:lambda:local:000000000000:function:report"
    assert invoke(lambdas, arn, {"a": 1})["Payload"] == {"got": {"a": 1}}


def test_the_process_stays_warm_also_after_an_exception(lambdas: Lambdas) -> None:
    first = invoke(lambdas, "report", {"do": "pid"})["Payload"]
    failure(lambdas, "report", {"do": "raise"})
    assert invoke(lambdas, "report", {"do": "pid"})["Payload"] == first


def test_warming_starts_the_process_that_serves(lambdas: Lambdas) -> None:
    lambdas.warm(["report", "keeper"])
    (worker,) = lambdas._idle["report"]  # noqa: SLF001 - whether it is the same process
    assert invoke(lambdas, "report", {"do": "pid"})["Payload"] == worker.process.pid


def test_a_handlers_exception_has_its_class_name(lambdas: Lambdas) -> None:
    error, cause = failure(lambdas, "report", {"do": "raise"})
    assert error == "TooLate"
    assert cause["errorMessage"] == "by an hour"
    assert cause["errorType"] == "TooLate"
    assert 'raise TooLate("by an hour")' in "".join(cause["stackTrace"])
    assert "lambda_worker" not in "".join(cause["stackTrace"])


@pytest.mark.parametrize(
    ("name", "payload", "error"),
    [
        ("unparsable", {}, "Runtime.UserCodeSyntaxError"),
        ("needy", {}, "Runtime.ImportModuleError"),
        ("mute", {}, "Runtime.HandlerNotFound"),
        ("rude", {}, "RuntimeError"),
        ("report", {"do": "set"}, "Runtime.MarshalError"),
    ],
)
def test_the_runtimes_error_names(
    lambdas: Lambdas, name: str, payload: dict[str, str], error: str
) -> None:
    assert failure(lambdas, name, payload)[0] == error


def test_a_crash_is_lambda_unknown_and_the_next_call_gets_a_new_process(lambdas: Lambdas) -> None:
    error, cause = failure(lambdas, "report", {"do": "exit"})
    assert error == "Lambda.Unknown"
    assert cause["errorType"] == "Runtime.ExitError"
    assert invoke(lambdas, "report", {})["Payload"] == {"got": {}}


def test_a_timeout_kills_the_process(lambdas: Lambdas) -> None:
    invoke(lambdas, "report", {})
    error, cause = failure(lambdas, "slow", {"do": "sleep"})
    assert error == "Sandbox.Timedout"
    assert "timed out after 0.30 seconds" in cause["errorMessage"]


@pytest.mark.usefixtures("lambdas")
def test_a_handler_at_work_ends_with_the_process_that_called_it(tmp_path: Path) -> None:
    """A run killed with SIGKILL leaves no function behind that the next run would race with."""
    script = (
        "import pathlib, sys\n"
        "from runner.local.lambdas import Function, Lambdas\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "lambdas = Lambdas({'f': Function(folder / 'lambdas/report')}, in_process={}, "
        "logs=folder / 'logs', environ={})\n"
        "print(lambdas('invoke', {'FunctionName': 'f', 'Payload': {'do': 'pid'}})['Payload'], "
        "flush=True)\n"
        "lambdas('invoke', {'FunctionName': 'f', 'Payload': {'do': 'sleep'}})\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    worker = int(child.stdout.readline())
    child.kill()
    child.wait()
    child.stdout.close()
    until = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path(f"/proc/{worker}").exists()


def test_closing_ends_a_handler_at_work(lambdas: Lambdas) -> None:
    errors = []
    thread = threading.Thread(
        target=lambda: errors.append(failure(lambdas, "report", {"do": "sleep"})[0])
    )
    thread.start()
    until = time.monotonic() + 10
    while not lambdas._busy and time.monotonic() < until:  # noqa: SLF001 - until it is at work
        time.sleep(0.01)
    lambdas.close()
    thread.join(10)
    assert errors == ["Lambda.Unknown"]


def test_calls_at_once_get_processes_of_their_own(lambdas: Lambdas) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda n: invoke(lambdas, "report", {"n": n}), range(9)))
    assert [answer["Payload"]["got"]["n"] for answer in answers] == list(range(9))


def test_what_a_handler_prints_is_its_log(lambdas: Lambdas, tmp_path: Path) -> None:
    invoke(lambdas, "report", {"k": 1})
    assert (tmp_path / "logs" / "report.log").read_text() == "seen {'k': 1}\n"


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        ("context", ["report", 36, True]),
        ("site", "duckdb"),
        ("flags", [1, None, "hello"]),
        ("stdin", ""),
        ("big", "x" * 3_000_000),
    ],
)
def test_the_world_of_a_handler(lambdas: Lambdas, do: str, expected: Json) -> None:
    assert invoke(lambdas, "report", {"do": do})["Payload"] == expected


def test_a_function_of_ours_runs_here_with_json_in_between(lambdas: Lambdas) -> None:
    payload = {"op": "begin"}
    answer = invoke(lambdas, "keeper", payload)["Payload"]
    assert answer == {"op": "begin", "changed": [1, 2], "name": "keeper"}
    assert payload == {"op": "begin"}


def test_errors_of_a_function_of_ours_map_the_same_way(lambdas: Lambdas) -> None:
    error, cause = failure(lambdas, "keeper", {"held": True})
    assert error == "LeaseHeld"
    assert (cause["errorMessage"], cause["errorType"]) == ("by r1", "LeaseHeld")


@pytest.mark.parametrize(
    ("arguments", "error", "word"),
    [
        ({"FunctionName": "nobody"}, "Lambda.ResourceNotFoundException", "keeper.*report"),
        ({"FunctionName": "report", "InvocationType": "Event"}, "States.Runtime", "Event"),
    ],
)
def test_what_is_not_known_is_refused(
    lambdas: Lambdas, arguments: dict[str, str], error: str, word: str
) -> None:
    with pytest.raises(ServiceError, match=word) as caught:
        lambdas("invoke", arguments)
    assert caught.value.error == error


def test_an_action_that_is_not_known_is_named(lambdas: Lambdas) -> None:
    with pytest.raises(ServiceError, match="lambda:listFunctions"):
        lambdas("listFunctions", {})
