"""`tasks`, `parser`, `secrets`: a last look at Embulk's configuration before it runs.

The generator writes these settings; a configuration that was changed by hand, or a generator that
forgets one, is caught here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runner.loads.checks.case import EMBULK, Check, Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.loads.checks.case import LoadCase
    from runner.model.ports import Json

_JOB = "Load.UnsafeJob"
_PARALLEL_MODES = ("insert",)
_EMPTIED = ("replace", "insert_direct")
"""Modes that begin by emptying, even when there is nothing to read."""
_PARSER: dict[str, Json] = {
    "charset": "UTF-8",
    "newline": "LF",
    "delimiter": ",",
    "quote": '"',
    "escape": None,
    "skip_header_lines": 1,
    "trim_if_not_quoted": False,
    "allow_extra_columns": False,
    "allow_optional_columns": False,
    "stop_on_invalid_record": True,
    "default_timezone": "UTC",
}
"""What the parser must be told, since its defaults skip rows or change values."""
_LEAST_QUOTED = 64 * 1024 * 1024
_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|secret|token|credential|private_?key|access_?key", re.IGNORECASE
)
PLACEHOLDER = re.compile(r"\$\{[A-Za-z_]\w*\}|\{\{ *env\.[A-Za-z_]\w* *\}\}")
"""How a configuration names a value that the task fills in: plain, and in Liquid."""
_LOOKS_SECRET = re.compile(
    r"(?<![A-Z0-9])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])|identified\s+by\s+'|://[^/\s:@]+:[^/\s@]+@",
    re.IGNORECASE,
)


def _find_tasks(case: LoadCase) -> Iterator[Said]:
    job = case.job or {}
    execution = _part(job, "exec")
    if _part(job, "out").get("mode") not in _PARALLEL_MODES or case.manifest.keys:
        for name in ("max_threads", "min_output_tasks"):
            if execution.get(name) != 1:
                yield Said(
                    _JOB,
                    f"exec.{name} is {execution.get(name, 'not set')}: several tasks decide by "
                    "chance which of two rows wins, and make a table each",
                    f"set exec.{name} to 1",
                )
    source, mode = _part(job, "in"), _part(job, "out").get("mode")
    if source.get("type") == "s3" and "path" not in source and mode in _EMPTIED:
        yield Said(
            _JOB,
            f"in.path_prefix with mode: {mode}: where no object has that prefix, Embulk ends well "
            "and leaves an empty table",
            "name the one object under in.path: Athena's result is one",
        )


def _find_parser(case: LoadCase) -> Iterator[Said]:
    parser = _part(_part(case.job or {}, "in"), "parser")
    for name, wanted in _PARSER.items():
        if name not in parser or parser[name] != wanted:
            yield Said(
                _JOB,
                f"in.parser.{name} is {parser.get(name, 'not set')}, not {wanted}: Embulk would "
                "skip rows or change values without an error",
                f"set in.parser.{name}",
            )
    if "null_string" in parser:
        yield Said(_JOB, "in.parser.null_string makes NULL of a text", "remove it")
    size = parser.get("max_quoted_size_limit", 0)
    if not isinstance(size, int) or size < _LEAST_QUOTED:
        yield Said(
            _JOB,
            f"in.parser.max_quoted_size_limit is {size or 'not set'}: longer values are invalid",
            f"set in.parser.max_quoted_size_limit to {_LEAST_QUOTED} or more",
        )
    yield from _columns(case, parser)


def _columns(case: LoadCase, parser: Mapping[str, Json]) -> Iterator[Said]:
    """Compare columns with the manifest's: the parser goes by position."""
    columns = parser.get("columns", ())
    found = [str(column.get("name", "")).lower() for column in columns]
    wanted = [column.name.lower() for column in case.manifest.all_columns]
    if found != wanted:
        yield Said(
            _JOB,
            f"in.parser.columns are {', '.join(found) or 'not set'}, the load's "
            f"{', '.join(wanted)}: values would go to other columns",
            "generate the configuration again",
        )
    options = _part(_part(case.job or {}, "out"), "column_options")
    for column in columns:
        option = options.get(column.get("name", ""), {})
        if not (option.get("type") and option.get("value_type")):
            yield Said(
                _JOB,
                f"out.column_options says no type and value_type for {column.get('name', '')}: "
                "Embulk's own choice loses digits, or makes NULL of a value",
                "generate the configuration again",
            )
        if column.get("type") == "timestamp" and not column.get("format"):
            yield Said(
                _JOB,
                f"column {column.get('name', '')} is a timestamp without a format",
                "generate the configuration again",
            )


def _find_secrets(case: LoadCase) -> Iterator[Said]:
    for path, name, text in _texts(case.job or {}, ""):
        named = bool(_SECRET_NAME.search(name)) and bool(text)
        if (named and not PLACEHOLDER.fullmatch(text)) or _LOOKS_SECRET.search(text):
            yield Said(
                "Load.SecretInJob",
                f"{path} holds a secret, or what looks like one, in plain text",
                "write a placeholder such as ${RUNNER_MART_PASSWORD}: the task fills it in",
            )


def _texts(value: Json, path: str, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Give every text with its path and the name of the setting that it belongs to."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}".lstrip("."), str(key))
    elif isinstance(value, str):
        yield path, name, value
    elif isinstance(value, Sequence):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{number}]", name)


def _part(value: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    part = value.get(name)
    return part if isinstance(part, Mapping) else {}


TASKS = Check(
    "tasks",
    "Several output tasks let chance decide which of two rows wins; no input at all is no error.",
    EMBULK,
    ("job",),
    _find_tasks,
)
PARSER = Check(
    "parser",
    "With its defaults Embulk's CSV parser skips rows that it does not understand.",
    EMBULK,
    ("job",),
    _find_parser,
)
SECRETS = Check(
    "secrets",
    "A configuration lies in S3 and in logs: it may hold no secret.",
    EMBULK,
    ("job",),
    _find_secrets,
)
