"""What is deployed as Lambda functions: the keeper, the project's functions, the bundled ones.

In: a bundle and the project's folder.  Out: `Package`s, zip files that are the same wherever they
are made, and the facts that the stack needs of each.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from runner.app.functions import BUILTIN, deployed_functions, deployed_name, folder_of
from runner.errors import Fault, Place, ProjectError
from runner.model.durations import seconds
from runner.plan.stack.facts import FunctionEventFacts, FunctionFacts, Grant
from runner.plan.stack.names import secret_arn
from runner.project.packing import (
    PackedFile,
    digest_of,
    import_faults,
    merged,
    own_files,
    size_faults,
    vendored_files,
    zip_of,
)
from runner.project.vendoring import CACHE, Platform, vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle

KEEPER = "keeper"
KEEPER_HANDLER = "keeper.handler.handle"
HANDLER = "handler.handler"
_ZIPS = "zips"
_KEPT_ZIPS = 40
_KEEPER_MEMORY_MIB = 1024
_ANY_DELIVERY = "arn:aws:firehose:*:*:deliverystream/*"
_ANY_KINESIS = "arn:aws:kinesis:*:*:stream/*"
"""What bundled functions say where a deployed one gets the streams that it changes."""


@dataclass(frozen=True, slots=True)
class Package:
    """The code of a function."""

    name: str
    """`keeper`, a folder of lambdas/, or `builtin:<name>`."""
    body: bytes
    """The zip file."""
    sha256: str
    """Of the names and bytes of the files in it: it names the package where it is stored."""
    handler: str


def package_keeper(timezone: str) -> Package:
    """Pack the keeper as it stands, and the one time zone that it computes windows in.

    Lambda's Linux is small: whether it has time zones is its maker's business.
    """
    folder = files("runner") / "keeper"
    own = tuple(
        PackedFile(f"keeper/{entry.name}", entry.read_bytes())
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".py")
    )
    found = merged(own, _zones(("UTC", timezone)))
    return Package(KEEPER, zip_of(found), digest_of(found), KEEPER_HANDLER)


def _zones(names: tuple[str, ...]) -> Iterator[PackedFile]:
    """Read zones as the package `tzdata` has them, where Python's zoneinfo looks for them."""
    data = files("tzdata")
    yield PackedFile("tzdata/__init__.py", b"")
    for name in names:
        *areas, _ = parts = ("zoneinfo", *name.split("/"))
        for depth in range(1, len(areas) + 1):
            yield PackedFile("/".join(("tzdata", *areas[:depth], "__init__.py")), b"")
        yield PackedFile("/".join(("tzdata", *parts)), data.joinpath(*parts).read_bytes())


def package_function(
    root: Path,
    name: str,
    settings: Mapping[str, Any],
    *,
    tell: Callable[[str], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Package:
    """Pack a function of lambdas/, or `builtin:<name>`, with what its requirements.txt names.

    `settings` is what function.yaml says, defaults filled in; `tell` hears of an installation that
    takes a while.  Raises ProjectError.
    """
    folder, shown = folder_of(root, name, settings)
    own = own_files(folder)
    faults = list(import_faults(own, folder=shown))
    platform = Platform(settings["runtime"].removeprefix("python"), settings["architecture"])
    given = os.environ if environ is None else environ
    try:
        place = vendor(folder, platform, root / CACHE, shown=shown, environ=given, tell=tell)
    except ProjectError as error:
        raise ProjectError([*faults, *error.faults]) from error
    packed = merged(own, vendored_files(place) if place is not None else ())
    faults += size_faults(packed, place=Place(f"{shown}/handler.py"))
    if faults:
        raise ProjectError(faults)
    digest = digest_of(packed)
    return Package(name, _zipped(root / CACHE / _ZIPS, packed, digest), digest, HANDLER)


def package_all(
    root: Path, bundle: Bundle, *, tell: Callable[[str], None] | None = None
) -> tuple[Package, ...]:
    """Pack everything that a deploy of the bundle needs; ProjectError carries every fault."""
    found, faults = [package_keeper(bundle.timezone)], list[Fault]()
    for name in deployed_functions(bundle):
        try:
            settings = bundle.function_settings[name]
            found.append(package_function(root, name, settings, tell=tell))
        except ProjectError as error:
            faults += error.faults
    if faults:
        raise ProjectError(faults)
    return tuple(found)


def _zipped(cache: Path, packed: tuple[PackedFile, ...], digest: str) -> bytes:
    """Give the zip file, compressed once for the same content."""
    path = cache / f"{digest}.zip"
    if path.is_file():
        path.touch()
        return path.read_bytes()
    body = zip_of(packed)
    cache.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(body)
    temporary.replace(path)
    for old in sorted(cache.glob("*.zip"), key=lambda one: one.stat().st_mtime)[:-_KEPT_ZIPS]:
        old.unlink(missing_ok=True)
    return body


# --- facts for the stack --------------------------------------------------------------------------


def keeper_facts(bundle: Bundle, *, code_uri: str) -> FunctionFacts:
    """Describe the keeper; what it may do is the stack's business."""
    lake = str(bundle.environment["lake"]).rstrip("/") + "/"
    return FunctionFacts(
        name=deployed_name(bundle, KEEPER),
        handler=KEEPER_HANDLER,
        code_uri=code_uri,
        memory_mib=_KEEPER_MEMORY_MIB,
        environment=(("RUNNER_LAKE", lake),),
        description="Windows, leases, promotion and records of runner's workflows.",
    )


def function_facts(bundle: Bundle, name: str, *, code_uri: str) -> FunctionFacts:
    """Describe a function as its function.yaml says it."""
    settings = bundle.function_settings[name]
    secrets: dict[str, str] = settings["secrets"]
    own = _own_streams(bundle, name)
    grants = [
        Grant(tuple(one["actions"]), resources)
        for one in settings["permissions"]
        if (resources := _narrowed(one["resources"], own))
    ]
    if secrets:
        arns = tuple(sorted(set(map(secret_arn, secrets.values()))))
        grants.append(Grant(("secretsmanager:GetSecretValue",), arns))
    return FunctionFacts(
        name=deployed_name(bundle, name),
        handler=HANDLER,
        code_uri=code_uri,
        runtime=settings["runtime"],
        architecture=settings["architecture"],
        memory_mib=settings["memory"],
        timeout_s=seconds(settings["timeout"]),
        disk_mib=settings["disk"],
        environment=tuple(sorted({**settings["environment"], **secrets}.items())),
        grants=tuple(grants),
        description=settings["description"],
        network=settings["network"],
        events=tuple(_event(name, said) for name, said in sorted(settings["events"].items())),
    )


def _own_streams(bundle: Bundle, name: str) -> Mapping[str, tuple[str, ...]]:
    """Give what stands for any stream in permissions, and the streams that the function changes.

    Only of functions that come with us: somebody's own says what it means.
    """
    if not (name.startswith(BUILTIN) or bundle.function_settings[name]["uses"]):
        return {}
    said = bundle.environment
    place = f"{said.get('region', '*')}:{said.get('account', '*')}"
    changed = {key: one for key, one in bundle.streams.items() if one["transform"] == name}
    return {
        _ANY_DELIVERY: tuple(
            f"arn:aws:firehose:{place}:deliverystream/{deployed_name(bundle, key)}"
            for key, one in sorted(changed.items())
            if not one["source"]
        ),
        _ANY_KINESIS: tuple(sorted({one["source"] for one in changed.values() if one["source"]})),
    }


def _narrowed(resources: Iterable[str], own: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(each for one in resources for each in own.get(one, (one,)))


def _event(name: str, said: Mapping[str, Any]) -> FunctionEventFacts:
    rest = {key: value for key, value in said.items() if key not in {"type", "window"}}
    if "window" in said:
        rest["window_s"] = seconds(said["window"])
    return FunctionEventFacts(name, said["type"], rest)
