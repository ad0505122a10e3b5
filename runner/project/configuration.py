"""`config.yaml`: the model, the chosen environment, the variables, and what contradicts what.

In: the text of config.yaml and the caller's choices.  Out: a `Setting` that later stages use, as
far as the file allows, and faults.  SEMANTICS 27, 31, 32.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from runner.errors import Fault, Place
from runner.model.config import Config
from runner.model.fields import WHOLE_REFERENCE, references
from runner.model.nearest import listed, suggestion
from runner.model.places import Places
from runner.project.deployable import deployable
from runner.project.files import CONFIG
from runner.project.validate import described, validate
from runner.project.yamltext import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.model.config import AwsEnvironment, LocalEnvironment
    from runner.project.yamltext import Data


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rest of loading needs from config.yaml; `config` is None when it is wrong."""

    config: Config | None
    environment: LocalEnvironment | AwsEnvironment | None
    environment_name: str
    variables: Mapping[str, object]
    """Values of `vars`, the environment's and the caller's put in."""
    variables_known: bool
    """False when the file cannot be read: then no variable may be called undefined."""
    sources: Mapping[str, Mapping[str, str]]
    """Declared sources and their columns with types."""
    suffix: str
    timezone: str
    places: Places
    faults: tuple[Fault, ...]


def read_setting(
    text: str | None,
    *,
    environment: str,
    variables: Mapping[str, str],
    values: Mapping[str, str] | None = None,
) -> Setting:
    """Read config.yaml and choose an environment.

    `values` replace the references (`env:NAME`, `ssm:/name`) of that environment and of the
    sources' locations; what is not among them stays as it is written.
    """
    if text is None:
        return _without_file(environment)
    yaml = read_yaml(text, file=CONFIG)
    config, faults = None, yaml.faults
    written = _with_values(yaml.data, environment, values or {})
    if yaml.data is not None or not faults:
        config, found = validate(Config, written, yaml.places)
        faults += found
    data = written if isinstance(written, dict) else {}
    chosen = config.environments.get(environment) if config is not None else None
    merged, refused = _variables(data, environment, variables)
    if config is not None:
        faults += tuple(_contradictions(config, yaml.places, environment))
        faults += _no_environment(config, environment, yaml.places)
    raw_zone = data.get("timezone")
    return Setting(
        config=config,
        environment=chosen,
        environment_name=environment,
        variables=merged,
        variables_known=isinstance(yaml.data, dict),
        sources=_sources(data),
        suffix=chosen.database_suffix if chosen is not None else "",
        timezone=raw_zone if isinstance(raw_zone, str) else "UTC",
        places=yaml.places,
        faults=(*faults, *refused),
    )


def _with_values(data: Data, environment: str, values: Mapping[str, str]) -> Data:
    """Put values in the place of references, in what a deploy of the environment uses.

    An environment on this machine keeps its references: they are resolved when it connects.
    """
    if not values or not isinstance(data, dict):
        return data
    chosen = dict(_mapping(data, "environments"))
    if _mapping(data, "environments", environment).get("engine") == "aws":
        chosen[environment] = _replaced(chosen[environment], values)
    found = {**data, "environments": chosen}
    if "sources" in data:
        found["sources"] = _replaced(data["sources"], values)
    return found


def _replaced(data: Data, values: Mapping[str, str]) -> Data:
    match data:
        case str():
            for reference, value in values.items():
                data = data.replace(f"${{{reference}}}", value)
            return data
        case dict():
            return {key: _replaced(value, values) for key, value in data.items()}
        case list():
            return [_replaced(value, values) for value in data]
        case _:
            return data


def _without_file(environment: str) -> Setting:
    fault = Fault(
        Place(CONFIG),
        "no-project",
        f"no {CONFIG}",
        f"{CONFIG} in the project's folder",
        "make a project with `runner init`",
    )
    return Setting(None, None, environment, {}, False, {}, "", "UTC", Places(CONFIG), (fault,))


def _no_environment(config: Config, name: str, places: Places) -> tuple[Fault, ...]:
    if name in config.environments:
        return ()
    fault = Fault(
        places.key("environments"),
        "unknown-environment",
        f"no environment named {name}",
        f"one of {listed(config.environments)}",
        suggestion(name, config.environments, otherwise="name one of them, or add it here"),
    )
    return (fault,)


def _sources(data: Data) -> dict[str, dict[str, str]]:
    """Read the sources leniently, so that one mistake does not make every other table unknown."""
    found = data.get("sources")
    if not isinstance(found, dict):
        return {}
    return {name: _columns(value) for name, value in found.items()}


def _columns(source: Data) -> dict[str, str]:
    columns = source.get("columns") if isinstance(source, dict) else None
    if not isinstance(columns, dict):
        return {}
    return {name.lower(): kind for name, kind in columns.items() if isinstance(kind, str)}


# --- variables ----------------------------------------------------------------------------------


def _variables(
    data: Data, environment: str, given: Mapping[str, str]
) -> tuple[dict[str, object], tuple[Fault, ...]]:
    engine = _mapping(data, "environments", environment).get("engine")
    merged = dict(_mapping(data, "vars"))
    merged.update(_mapping(data, "environments", environment, "vars"))
    faults: list[Fault] = []
    for name, text in given.items():
        place = Place(f"--var {name}")
        if engine == "aws":
            faults.append(_deployed(place, environment))
            continue
        if name not in merged:
            fault = Fault(
                place,
                "unknown-variable",
                f"no variable named {name}",
                f"one of {listed(merged)}",
                suggestion(name, merged, otherwise="declare it under `vars:` in config.yaml"),
            )
            faults.append(fault)
            continue
        value, problem = _typed(text, merged[name], place)
        merged[name] = value
        faults += problem
    frozen = {name: _frozen(value) for name, value in merged.items()}
    return frozen, tuple(faults)


def _deployed(place: Place, environment: str) -> Fault:
    """Refuse a variable that no file tells: a deployed definition takes only a window."""
    return Fault(
        place,
        "variable-in-aws",
        f"a variable for {environment}, an environment of engine aws",
        "its variables in config.yaml: a deployed definition takes only a window",
        f"write it under `vars` of the environment {environment}",
    )


def _mapping(data: Data, *path: str) -> dict[str, object]:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _typed(text: str, declared: object, place: Place) -> tuple[object, tuple[Fault, ...]]:
    """Read the caller's text as the type that the variable has in config.yaml."""
    if declared is None or isinstance(declared, str):
        return text, ()
    yaml = read_yaml(text, file=str(place))
    same = isinstance(yaml.data, type(declared)) or (
        isinstance(declared, float) and isinstance(yaml.data, int)
    )
    if same and isinstance(yaml.data, bool) == isinstance(declared, bool):
        return yaml.data, ()
    fault = Fault(
        place,
        "wrong-type",
        described(text),
        f"a value like {json.dumps(declared)}, which config.yaml gives it",
        "give a value of the same type",
    )
    return declared, (fault,)


# --- contradictions -----------------------------------------------------------------------------


def _contradictions(config: Config, places: Places, chosen: str) -> Iterator[Fault]:
    yield from _timezone(config, places)
    yield from _source_names(config, places)
    yield from _secrets(config, places)
    yield from _defer(config, places)
    yield from _suffixes(config, places, chosen)
    yield from _local_references(config, places)
    yield from deployable(config, places)


def _local_references(config: Config, places: Places) -> Iterator[Fault]:
    """Refuse, for this machine, parameters of Systems Manager and values of several parts."""
    for name, environment in config.environments.items():
        if environment.engine != "local":
            continue
        for mart_name, mart in environment.marts.items():
            if mart.engine != "mysql":
                continue
            for key in ("host", "socket", "database", "user"):
                value = getattr(mart, key)
                if value and "${" in value and WHOLE_REFERENCE.match(value) is None:
                    yield Fault(
                        places.value("environments", name, "marts", mart_name, key),
                        "wrong-value",
                        described(value),
                        "${env:NAME}, the name of an environment variable",
                        "put the value into an environment variable and write ${env:ITS_NAME} here",
                    )


def zone_fault(zone: str, place: Place) -> Fault | None:
    """Refuse a time zone that the IANA database does not know."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Fault(
            place,
            "unknown-timezone",
            f"the time zone {zone}",
            "a name of the IANA database, such as UTC or Asia/Tokyo",
            suggestion(zone, available_timezones(), otherwise="write it as Area/City"),
        )
    return None


def _timezone(config: Config, places: Places) -> Iterator[Fault]:
    fault = zone_fault(config.timezone, places.value("timezone"))
    if fault is not None:
        yield fault


def _source_names(config: Config, places: Places) -> Iterator[Fault]:
    for name in config.sources:
        database, dot, table = name.partition(".")
        if not (dot and database and table) or "." in table or name != name.lower():
            yield Fault(
                places.key("sources", name),
                "bad-name",
                f"the source `{name}`",
                "database.table in small letters",
                "write the source's database, a dot and its table",
            )


def _secrets(config: Config, places: Places) -> Iterator[Fault]:
    """SEMANTICS 32: ARNs in AWS, the environment's values on this machine."""
    for name, environment in config.environments.items():
        for mart_name, mart in environment.marts.items():
            path = ("environments", name, "marts", mart_name)
            if mart.engine != "mysql":
                continue
            if environment.engine == "aws" and mart.password is not None:
                yield Fault(
                    places.key(*path, "password"),
                    "password-in-aws",
                    "a `password` in an environment of engine aws",
                    "`secret: <ARN>`, which ECS puts into the task",
                    "store the password in Secrets Manager and write its ARN as `secret`",
                )
            if environment.engine == "local" and mart.secret is not None:
                yield Fault(
                    places.key(*path, "secret"),
                    "secret-in-local",
                    "a `secret` in an environment of engine local",
                    "`password: ${env:NAME}`, resolved when connecting",
                    "put the password into an environment variable and name it",
                )


def _defer(config: Config, places: Places) -> Iterator[Fault]:
    for name, environment in config.environments.items():
        others = [other for other in config.environments if other != name]
        if environment.defer is not None and environment.defer not in others:
            yield Fault(
                places.value("environments", name, "defer"),
                "unknown-environment",
                f"`defer: {environment.defer}`",
                f"another environment: {listed(others)}",
                suggestion(environment.defer, others, otherwise="name one, or remove the key"),
            )
        elif environment.defer is not None:
            yield Fault(
                places.key("environments", name, "defer"),
                "defer-unsupported",
                f"`defer: {environment.defer}`",
                "no such key: this version reads every upstream in the environment itself",
                "remove it, and run the upstreams in this environment first",
            )


def _suffixes(config: Config, places: Places, chosen: str) -> Iterator[Fault]:
    for name, environment in config.environments.items():
        suffix = environment.database_suffix
        if "${" in suffix:
            if name == chosen:
                yield _unknown_suffix(suffix, places.value("environments", name, "database_suffix"))
            continue
        if not set(suffix) <= set("abcdefghijklmnopqrstuvwxyz0123456789_") or suffix.endswith(
            "__stage"
        ):
            yield Fault(
                places.value("environments", name, "database_suffix"),
                "bad-name",
                f"`database_suffix: {suffix}`",
                "small letters, digits and _, not ending in __stage",
                "write it like _dev",
            )


def _unknown_suffix(suffix: str, place: Place) -> Fault:
    found = references(suffix)
    if any(kind == "ssm" for kind, _ in found):
        return Fault(
            place,
            "wrong-value",
            f"`database_suffix: {suffix}`",
            "text, or ${env:NAME}: names of databases are needed where no account is asked",
            "put the suffix into an environment variable and write _${env:ITS_NAME}",
        )
    name = found[0][1]
    return Fault(
        place,
        "variable-not-set",
        f"`database_suffix: {suffix}`, and {name} is not set",
        "a value in the environment",
        f"export {name}=...",
    )


def shared_databases(config: Config, databases: Sequence[str], places: Places) -> Iterator[Fault]:
    """Refuse two environments that would write the same physical database (SEMANTICS 27)."""
    owners: dict[tuple[str, ...], str] = {}
    for name, environment in config.environments.items():
        home = (
            ("aws", environment.account, environment.region)
            if environment.engine == "aws"
            else ("local", environment.state.strip("/"))
        )
        for database in databases or ("",):
            physical = f"{database}{environment.database_suffix}"
            other = owners.setdefault((*home, physical), name)
            if other != name:
                yield Fault(
                    places.key("environments", name),
                    "shared-database",
                    f"{name} writes the database `{physical}`, as {other} does",
                    "a physical database belongs to one environment",
                    f"give {name} a database_suffix, such as _{name}"
                    + (", or a `state` folder of its own" if home[0] == "local" else ""),
                )
                break
