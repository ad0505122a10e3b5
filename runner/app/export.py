"""`export`: what a deploy would upload and apply, as files for somebody else's pipeline.

In: an environment, and by hand what its references stand for.  Out: a folder with the template, the
artifacts, the manifest and a README of the commands.  Nothing asks AWS.
"""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.cloud import references_of
from runner.errors import Fault, Place, ProjectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.app.desired import Desired
    from runner.model.ports import Json

_ARTIFACTS, _LAKE = "artifacts", "lake"
"""Folders of an export: what the template names, and what machines read in the lake."""


def offline_bundle(
    root: Path,
    environment: str,
    given: Mapping[str, str],
    *,
    environ: Mapping[str, str] | None = None,
) -> tuple[Bundle, dict[str, str]]:
    """Load an environment on AWS without asking AWS, and give what its references stand for.

    What `given` lacks of the form `env:NAME` comes from this process's environment.  Raises
    UsageError for values that nothing asks for, ProjectError for references without a value.
    """
    surroundings = os.environ if environ is None else environ
    wanted = [f"{kind}:{name}" for kind, name in references_of(root, environment)]
    strange = [word for word in given if word not in wanted]
    if strange:
        raise UsageError([_not_wanted(word, wanted) for word in strange])
    values = dict(given)
    for word in wanted:
        kind, _, name = word.partition(":")
        if word not in values and kind == "env" and surroundings.get(name):
            values[word] = surroundings[name]
    missing = [word for word in wanted if word not in values]
    if missing:
        raise ProjectError([_missing(word) for word in missing])
    return open_bundle(root, environment, values=values), values


def _not_wanted(word: str, wanted: list[str]) -> Fault:
    listed = f"one of {', '.join(wanted)}" if wanted else "none: the environment has no references"
    return Fault(Place("--value"), "bad-option", word, listed, "remove it, or correct the name")


def _missing(word: str) -> Fault:
    kind, _, name = word.partition(":")
    return Fault(
        Place("config.yaml"),
        "parameter-not-found" if kind == "ssm" else "variable-not-set",
        f"${{{word}}}, whose value is not given",
        "a value: an export asks nobody",
        f"add --value {word}=..." + (f", or export {name}=..." if kind == "env" else ""),
    )


def export_cloudformation(
    root: Path,
    environment: str,
    folder: Path,
    *,
    values: Mapping[str, str],
    force: bool = False,
    tell: Callable[[str], None] | None = None,
) -> tuple[str, ...]:
    """Write what a deploy would upload and apply; gives the files' paths in the folder.

    `tell` hears of installations.

    A folder that holds anything is refused without `force`; with it, only what an older export
    left in artifacts/ goes.
    """
    if not force and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        advice = "name another folder with --to, or overwrite with --force"
        raise UsageError(
            [Fault(Place(str(folder)), "file-exists", "it is not empty", "a new folder", advice)]
        )
    from runner.app.desired import desired  # noqa: PLC0415 - the compiler may load here

    bundle, known = offline_bundle(root, environment, values)
    written = exported_files(desired(root, bundle, values=known, tell=tell))
    for path, body in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    former = [old for name in (_ARTIFACTS, _LAKE) for old in (folder / name).rglob("*")]
    for old in former:
        if old.is_file() and old.relative_to(folder).as_posix() not in written:
            old.unlink()
    return tuple(sorted(written))


def exported_files(desired: Desired) -> dict[str, bytes]:
    """Give the files of an export by their path; the same for the same desired state."""
    facts = desired.facts
    found = {
        "README.md": _readme(desired).encode(),
        "manifest.json": _json(asdict(desired.manifest)),
        "template.json": _json(desired.template),
    }
    for one in desired.artifacts:
        below = _ARTIFACTS if one.uri.startswith(facts.artifacts) else _LAKE
        home = facts.artifacts if below == _ARTIFACTS else facts.lake
        found[f"{below}/{one.uri.removeprefix(home)}"] = one.body
    return found


def _json(value: Json) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _readme(desired: Desired) -> str:
    facts = desired.facts
    text = (files("runner") / "templates" / "export" / "README.md").read_text("utf-8")
    bucket, _, prefix = facts.artifacts.removeprefix("s3://").partition("/")
    tags = " ".join(f"{shlex.quote(key)}={shlex.quote(value)}" for key, value in facts.tags)
    texts = any(not one.uri.startswith(facts.artifacts) for one in desired.artifacts)
    sync = f"aws s3 sync {_LAKE}/ {facts.lake} --region {facts.region}\n"
    marks = {
        "LAKE_SYNC": sync if texts else "",
        "STACK": facts.prefix,
        "ENVIRONMENT": facts.environment,
        "VERSION": facts.version,
        "ARTIFACTS": facts.artifacts,
        "BUCKET": bucket,
        "PREFIX": prefix,
        "REGION": facts.region,
        "ACCOUNT": facts.account,
        "TAGS": f" \\\n  --tags {tags}" if tags else "",
    }
    return filled(text, marks)


def filled(text: str, marks: Mapping[str, str]) -> str:
    """Put values in the place of their marks.

    >>> filled("for __ENVIRONMENT__", {"ENVIRONMENT": "prod"})
    'for prod'
    """
    for mark, value in marks.items():
        text = text.replace(f"__{mark}__", value)
    return text
