"""`lambdas/<name>/function.yaml`: the model, and what Lambda would refuse.

In: the texts of the files, the folders, the setting.  Out: `NamedFunction`s and faults.  A function
without the file has the defaults.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.errors import Fault, Place
from runner.model.function import FunctionSettings
from runner.model.project import NamedFunction
from runner.project.files import BUNDLED, LAMBDAS, SETTINGS
from runner.project.validate import validate
from runner.project.workflows import BUILTIN
from runner.project.yamltext import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.places import Places
    from runner.project.configuration import Setting
    from runner.project.files import Snapshot

_FOLDER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_OURS = ("keeper",)
_MOST_NAME = 64
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+\Z")
_RESERVED = re.compile(
    r"(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|LAMBDA_.*|ACCESS_KEY"
    r"|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)|LAMBDA_(TASK_ROOT|RUNTIME_DIR))\Z"
)
_MOST_VARIABLES = 4096
"""Bytes of all names and values."""
_LIKE_A_SECRET = re.compile(
    r"(?:.*_)?(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|CREDENTIALS?)\Z",
    re.IGNORECASE,
)


def read_functions(
    texts: Mapping[str, str], snapshot: Snapshot, setting: Setting
) -> tuple[tuple[NamedFunction, ...], list[Fault]]:
    """Read the settings of every function, those that come with us last."""
    found: list[NamedFunction] = []
    faults = [*_strangers(texts, snapshot), *_folder_names(snapshot, setting)]
    for name in snapshot.lambdas:
        path = f"{LAMBDAS}/{name}/{SETTINGS}"
        settings, problems = _read(texts[path], path) if path in texts else (FunctionSettings(), ())
        faults += problems
        if settings is not None:
            found.append(NamedFunction(name, settings))
    for name in snapshot.builtins:
        file = BUNDLED / name / SETTINGS
        text = file.read_text("utf-8") if file.is_file() else ""
        settings, problems = _read(text, str(file))
        faults += problems
        if settings is not None:
            found.append(NamedFunction(f"{BUILTIN}{name}", settings))
    return tuple(found), faults


def _read(text: str, path: str) -> tuple[FunctionSettings | None, tuple[Fault, ...]]:
    yaml = read_yaml(text, file=path)
    if yaml.faults and yaml.data is None:
        return None, yaml.faults
    settings, faults = validate(FunctionSettings, yaml.data, yaml.places)
    if settings is None:
        return None, (*yaml.faults, *faults)
    return settings, (*yaml.faults, *_variables(settings, yaml.places))


def _strangers(texts: Mapping[str, str], snapshot: Snapshot) -> Iterator[Fault]:
    for path in texts:
        folder, _, file = path.rpartition("/")
        if not folder.startswith(f"{LAMBDAS}/") or file == SETTINGS:
            continue
        yield Fault(
            Place(path),
            "misplaced-file",
            "a file that nothing reads",
            f"{folder}/{SETTINGS}",
            f"rename it to {SETTINGS}",
        )
    for name in snapshot.incomplete_lambdas:
        path = f"{LAMBDAS}/{name}/{SETTINGS}"
        if path in texts:
            yield Fault(
                Place(path),
                "unknown-function",
                "settings of a function without handler.py",
                f"{LAMBDAS}/{name}/handler.py with def handler(event, context)",
                "add the file, or remove the folder",
            )


def _folder_names(snapshot: Snapshot, setting: Setting) -> Iterator[Fault]:
    project = setting.config.project if setting.config is not None else ""
    for name in snapshot.lambdas:
        place = Place(f"{LAMBDAS}/{name}/handler.py")
        deployed = f"{project}-{setting.environment_name}-{name}"
        if not _FOLDER.match(name):
            expected = "letters, digits, _ and -, a letter first"
            yield Fault(place, "bad-name", f"the folder {name}", expected, "rename the folder")
        elif name in _OURS or name.startswith("builtin-"):
            expected = f"another name: {name} is one of our own functions"
            yield Fault(place, "reserved-name", f"the folder {name}", expected, "rename the folder")
        elif len(deployed) > _MOST_NAME:
            yield Fault(
                place,
                "bad-name",
                f"{deployed}, as the function is called on AWS: {len(deployed)} characters",
                f"at most {_MOST_NAME}, the names of project and environment included",
                "give the folder a shorter name",
            )


def _variables(settings: FunctionSettings, places: Places) -> Iterator[Fault]:
    for key, names in (("environment", settings.environment), ("secrets", settings.secrets)):
        for name in names:
            if not _VARIABLE.match(name) or _RESERVED.match(name):
                yield Fault(
                    places.key(key, name),
                    "bad-variable",
                    f"the environment variable {name}",
                    "letters, digits and _, a letter first, two at least; none that Lambda sets",
                    "choose another name",
                )
    for name in settings.environment:
        if name in settings.secrets:
            yield Fault(
                places.key("environment", name),
                "bad-variable",
                f"{name}, which stands under `secrets` too",
                "each variable once",
                "remove one of the two",
            )
        elif _LIKE_A_SECRET.match(name):
            yield Fault(
                places.value("environment", name),
                "plain-secret",
                f"a plain text for `{name}`",
                "no secret's value: whoever may read the function's settings would see it",
                f"store it in Secrets Manager and write secrets: {{{name}: <its ARN>}}",
            )
    both = {**settings.environment, **settings.secrets}
    size = sum(len(text.encode()) for pair in both.items() for text in pair)
    if size > _MOST_VARIABLES:
        yield Fault(
            places.key("environment" if settings.environment else "secrets"),
            "bad-variable",
            f"{size:,} bytes of environment variables",
            f"at most {_MOST_VARIABLES:,}, names and values together",
            "put the longest into a file of the folder",
        )
