"""The inside of a local Lambda function: one process, one handler, JSON lines over pipes.

Run as a script (`python -I -S lambda_worker.py <folder> <function> [<packages>]`), never
imported by `runner`.
In: a line per invocation {id, payload, timeout_s}.  Out: a line {ok} or {error}.  What the handler
prints goes to standard error, which the parent keeps as the function's log.

It starts without site-packages, which takes a third of the time; the first import that the
standard library, the function's folder and its packages cannot satisfy brings them in.
"""

from __future__ import annotations

import _thread
import importlib.abc
import json
import os
import sys
import time
import traceback
from _queue import SimpleQueue
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, TextIO


class LateSitePackages(importlib.abc.MetaPathFinder):
    """Adds site-packages when an import needs them."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Turn site-packages on, once, and look again."""
        sys.meta_path.remove(self)
        import importlib.machinery  # noqa: PLC0415
        import site  # noqa: PLC0415 - the point is not to import it before

        site.main()
        return importlib.machinery.PathFinder.find_spec(fullname, path, target)


class Context:
    """Lambda's context object, as far as it makes sense here."""

    function_version = "$LATEST"

    def __init__(self, function: str, request: str, timeout_s: float) -> None:
        """Start the clock."""
        self.function_name = function
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.aws_request_id = request
        self.invoked_function_arn = f"arn:aws:lambda:local:000000000000:function:{function}"
        self.log_group_name = f"/aws/lambda/{function}"
        self.log_stream_name = str(os.getpid())
        self._until = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        """Give the time left before the invocation is killed."""
        return max(0, int((self._until - time.monotonic()) * 1000))


def describe(error: BaseException, *, kind: str = "") -> dict[str, Any]:
    """Write an exception as Lambda does: errorMessage, errorType, stackTrace."""
    frames = traceback.format_tb(error.__traceback__)
    return {
        "errorMessage": str(error),
        "errorType": kind or type(error).__name__,
        "stackTrace": [frame for frame in frames if __file__ not in frame],
    }


def load_handler(folder: str, packages: list[str]) -> Callable[[Any, Context], Any]:
    """Import the function's handler; its own folder comes first, as in its package."""
    sys.path[:0] = [folder, *packages]
    sys.meta_path.append(LateSitePackages())
    module, _, name = os.environ.get("_HANDLER", "handler.handler").rpartition(".")
    found: Callable[[Any, Context], Any] | None = getattr(import_module(module), name, None)
    if found is None:
        raise AttributeError(f"Handler '{name}' missing on module '{module}'")
    return found


def initialise(
    folder: str, packages: list[str]
) -> tuple[Callable[[Any, Context], Any] | None, dict[str, Any]]:
    """Import the handler, or say why it cannot be, with the runtime's own error names."""
    try:
        return load_handler(folder, packages), {}
    except ImportError as error:
        kind = "Runtime.ImportModuleError"
        failure: BaseException = error
    except SyntaxError as error:
        kind, failure = "Runtime.UserCodeSyntaxError", error
    except AttributeError as error:
        kind, failure = "Runtime.HandlerNotFound", error
    except Exception as error:  # noqa: BLE001 - a process edge: the user's code may raise anything
        kind, failure = "", error
    return None, describe(failure, kind=kind)


def answer(
    handler: Callable[[Any, Context], Any] | None,
    broken: dict[str, Any],
    request: dict[str, Any],
    function: str,
) -> str:
    """Serve one invocation; gives the line that goes back."""
    if handler is None:
        return json.dumps({"error": broken})
    context = Context(function, request["id"], request["timeout_s"])
    try:
        result = handler(request["payload"], context)
    except Exception as error:  # noqa: BLE001 - a process edge: the user's code may raise anything
        return json.dumps({"error": describe(error)})
    try:
        return json.dumps({"ok": result})
    except (TypeError, ValueError) as error:
        return json.dumps({"error": describe(error, kind="Runtime.MarshalError")})


def receive(requests: TextIO, lines: SimpleQueue[str]) -> None:
    """Pass invocations on; leave at once when the parent closes the pipe or dies.

    A handler that is at work then ends with its run: the run that continues calls it anew.
    """
    for line in requests:
        lines.put(line)
    os._exit(0)


def main() -> None:
    """Serve invocations for as long as the parent lives and keeps the pipe open."""
    folder, function, *packages = sys.argv[1:]
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    lines: SimpleQueue[str] = SimpleQueue()
    _thread.start_new_thread(receive, (requests, lines))
    handler, broken = initialise(folder, packages)
    while True:
        reply = answer(handler, broken, json.loads(lines.get()), function)
        sys.stdout.flush()
        answers.write(reply + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
