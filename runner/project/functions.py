"""`lambdas/<name>/function.yaml`: the model, and what Lambda would refuse.

In: the texts of the files, the folders, the setting.  Out: `NamedFunction`s and faults.  A function
without the file has the defaults.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from runner.errors import Fault, Place
from runner.model.function import FunctionSettings
from runner.model.nearest import listed, nearest, suggestion
from runner.model.project import NamedFunction
from runner.project.files import BUNDLED, LAMBDAS, SETTINGS
from runner.project.validate import validate
from runner.project.workflows import BUILTIN
from runner.project.yamltext import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.model.places import Places
    from runner.project.configuration import Setting
    from runner.project.files import Snapshot

_FOLDER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_STREAM = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")
_LEAST_PARTITIONED_MIB = 64
_OURS = ("keeper",)
_MOST_NAME = 64
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+\Z")
_READ = re.compile(r"""["']([A-Z][A-Z0-9_]+)["']""")
"""Names in a bundled function's code; its variables are among them."""
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
    texts: Mapping[str, str], snapshot: Snapshot, setting: Setting, *, workflows: Sequence[str]
) -> tuple[tuple[NamedFunction, ...], list[Fault]]:
    """Read the settings of every function, those that come with us last."""
    found: list[NamedFunction] = []
    faults = [*_strangers(texts), *_folder_names(snapshot, setting)]
    bundled: dict[str, FunctionSettings] = {}
    for name in snapshot.builtins:
        file = BUNDLED / name / SETTINGS
        text = file.read_text("utf-8") if file.is_file() else ""
        settings, problems = _read(text, str(file))
        faults += problems
        if settings is not None:
            bundled[f"{BUILTIN}{name}"] = settings
    for name in (*snapshot.lambdas, *snapshot.incomplete_lambdas):
        path = f"{LAMBDAS}/{name}/{SETTINGS}"
        settings, told = _own(texts.get(path), path, bundled, written=name in snapshot.lambdas)
        faults += told
        if settings is not None:
            faults += _unknown_workflows(settings, texts.get(path, ""), path, workflows)
            faults += _own_log(settings, texts.get(path, ""), path, _deployed(setting, name))
            found.append(NamedFunction(name, settings))
    found.sort(key=lambda one: one.name)
    return (*found, *(NamedFunction(*pair) for pair in bundled.items())), faults


def _unknown_workflows(
    settings: FunctionSettings, text: str, path: str, workflows: Sequence[str]
) -> Iterator[Fault]:
    """Find workflows whose ends a function waits for, and that do not exist."""
    for name, event in settings.events.items():
        for index, wanted in enumerate(event.workflows if event.type == "executions" else ()):
            if wanted not in workflows:
                yield Fault(
                    read_yaml(text, file=path).places.value("events", name, "workflows", index),
                    "unknown-workflow",
                    f"`{wanted}`, which has no file under workflows/",
                    f"one of {listed(workflows)}",
                    suggestion(wanted, workflows, otherwise=f"add workflows/{wanted}.yaml"),
                )


def _own_log(settings: FunctionSettings, text: str, path: str, deployed: str) -> Iterator[Fault]:
    """Find a function that is called with its own log, which each call makes longer."""
    for name, event in settings.events.items():
        if event.type == "logs" and event.group == f"/aws/lambda/{deployed}":
            yield Fault(
                read_yaml(text, file=path).places.value("events", name, "group"),
                "wrong-value",
                f"`{event.group}`, the function's own log",
                "the log of something else: what a call writes there would call it again, for ever",
                "name another log group",
            )


def _deployed(setting: Setting, name: str) -> str:
    """Name a function as it is called on AWS."""
    project = setting.config.project if setting.config is not None else ""
    return f"{project}-{setting.environment_name}-{name}"


def _own(
    text: str | None, path: str, bundled: Mapping[str, FunctionSettings], *, written: bool
) -> tuple[FunctionSettings | None, Sequence[Fault]]:
    """Read a function's file; `written` tells whether its folder has a handler.py."""
    if text is None:
        return (FunctionSettings(), ()) if written else (None, ())
    yaml = read_yaml(text, file=path)
    settings, faults = _read(text, path)
    if settings is None or (written and settings.uses is None):
        return settings, faults
    if settings.uses is None:
        return None, [*faults, _without_code(path)]
    if written:
        return None, [*faults, _code_twice(yaml.places.value("uses"), settings.uses)]
    if settings.uses not in bundled:
        return None, [*faults, _unknown(yaml.places.value("uses"), settings.uses, bundled)]
    told = _misspelled(settings, settings.uses, yaml.places)
    return _joined(bundled[settings.uses], settings), [*faults, *told]


def _misspelled(settings: FunctionSettings, uses: str, places: Places) -> Iterator[Fault]:
    """Find variables that a bundled function does not read, and nearly does."""
    known = _names_in(uses)
    for key, names in (("environment", settings.environment), ("secrets", settings.secrets)):
        for name in names:
            near = () if name in known else nearest(name, known)
            if near:
                yield Fault(
                    places.key(key, name),
                    "bad-variable",
                    f"the environment variable {name}, which {uses} does not read",
                    "a variable that it reads",
                    f"did you mean {' or '.join(near)}?",
                )


@functools.cache
def _names_in(uses: str) -> frozenset[str]:
    """Give the names in a bundled function's code."""
    folder = BUNDLED / uses.removeprefix(BUILTIN)
    return frozenset(
        name for file in folder.glob("*.py") for name in _READ.findall(file.read_text("utf-8"))
    )


def _joined(base: FunctionSettings, own: FunctionSettings) -> FunctionSettings:
    """Put a function's own settings over those of the one that it uses."""
    chosen = {name: getattr(own, name) for name in own.model_fields_set}
    chosen["environment"] = {**base.environment, **own.environment}
    chosen["secrets"] = {**base.secrets, **own.secrets}
    chosen["permissions"] = (*base.permissions, *own.permissions)
    return base.model_copy(update=chosen)


def _without_code(path: str) -> Fault:
    return Fault(
        Place(path),
        "unknown-function",
        "settings of a function without handler.py",
        f"{path.rpartition('/')[0]}/handler.py with def handler(event, context), or `uses:`",
        "add the file, say which bundled function it uses, or remove the folder",
    )


def _code_twice(place: Place, uses: str) -> Fault:
    return Fault(
        place,
        "function-twice",
        f"`uses: {uses}` beside a handler.py of its own",
        "one of the two",
        "remove handler.py, or remove `uses`",
    )


def _unknown(place: Place, uses: str, bundled: Mapping[str, FunctionSettings]) -> Fault:
    return Fault(
        place,
        "unknown-function",
        f"`uses: {uses}`, which does not come with us",
        f"one of {listed(list(bundled))}",
        suggestion(
            uses, list(bundled), otherwise="look at the names in docs/reference/function.md"
        ),
    )


def _read(text: str, path: str) -> tuple[FunctionSettings | None, tuple[Fault, ...]]:
    yaml = read_yaml(text, file=path)
    if yaml.faults and yaml.data is None:
        return None, yaml.faults
    settings, faults = validate(FunctionSettings, yaml.data, yaml.places)
    if settings is None:
        return None, (*yaml.faults, *faults)
    return settings, (*yaml.faults, *_variables(settings, yaml.places))


def stream_faults(
    setting: Setting, functions: Iterable[NamedFunction], folders: Iterable[str]
) -> Iterator[Fault]:
    """Find functions that streams name and that do not exist, and settings that contradict."""
    config, places = setting.config, setting.places
    known = sorted({*(one.name for one in functions), *folders})
    for name, stream in config.streams.items() if config is not None else ():
        if not _STREAM.match(name):
            expected = "small letters, digits, _ and -, a letter first; 40 at most"
            yield Fault(
                places.key("streams", name), "bad-name", f"`{name}`", expected, "rename the stream"
            )
        if stream.transform is not None and stream.transform not in known:
            yield Fault(
                places.value("streams", name, "transform"),
                "unknown-function",
                f"`transform: {stream.transform}`, which has no folder under {LAMBDAS}/",
                f"one of {listed(known)}",
                suggestion(stream.transform, known, otherwise="add the function"),
            )
        if stream.partitioned and stream.transform is None:
            yield Fault(
                places.value("streams", name, "prefix"),
                "missing-key",
                "partition keys of a function, and no function",
                "`transform`, a function that gives each record its partition keys",
                "add transform: <function>, or use !{timestamp:...}",
            )
        if stream.partitioned and stream.size < _LEAST_PARTITIONED_MIB:
            yield Fault(
                places.key("streams", name),
                "wrong-value",
                f"size: {stream.size} with partition keys",
                f"{_LEAST_PARTITIONED_MIB} MiB at least, as Firehose asks",
                f"write size: {_LEAST_PARTITIONED_MIB}",
            )


def _strangers(texts: Mapping[str, str]) -> Iterator[Fault]:
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


def _folder_names(snapshot: Snapshot, setting: Setting) -> Iterator[Fault]:
    for name in snapshot.lambdas:
        place = Place(f"{LAMBDAS}/{name}/handler.py")
        deployed = _deployed(setting, name)
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
