"""What AWS takes of an environment's names and tags, before anything is deployed.

In: config.yaml's model and where its values stand.  Out: faults.

`<project>-<environment>` begins the names of a CloudFormation stack, roles, functions and an ECR
repository.  The repository takes small letters and single hyphens only.  Names of more than 64
characters are cut and end in a hash; the permissions of a deploy name `<project>-<environment>-*`,
so that much of a name must stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.config import Config
    from runner.model.places import Places

MOST_PREFIX = 54
"""Characters of `<project>-<environment>`: a name of 64 that is cut keeps 55, a hyphen included."""
_PREFIX = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_MART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")
_TAG = re.compile(r"[\w .:/=+@-]*\Z")
_MOST_KEY, _MOST_VALUE = 128, 256
_MOST_TAGS = 48
"""AWS takes 50 of a resource; two are ours."""
_OURS = ("aws:", "runner:")


def deployable(config: Config, places: Places) -> Iterator[Fault]:
    """Find what AWS would refuse of environments with `engine: aws`."""
    for name, environment in config.environments.items():
        if environment.engine != "aws":
            continue
        yield from _prefix(config.project, name, places)
        for mart in environment.marts:
            if not _MART.match(mart):
                yield Fault(
                    places.key("environments", name, "marts", mart),
                    "bad-name",
                    f"the mart `{mart}`",
                    "letters, digits, _ and -, at most 100: its task is named after it",
                    "rename the mart, here and in the files that load into it",
                )
        yield from _tags(name, environment.tags, places)


def _prefix(project: str, name: str, places: Places) -> Iterator[Fault]:
    prefix = f"{project}-{name}"
    if not _PREFIX.match(prefix):
        yield Fault(
            places.key("environments", name),
            "bad-name",
            f"{prefix}, as the stack is called on AWS",
            "small letters, digits and single hyphens, none of them at the end",
            "rename the environment, e.g. prod-eu",
        )
    elif len(prefix) > MOST_PREFIX:
        yield Fault(
            places.key("environments", name),
            "bad-name",
            f"{prefix}, as the stack is called on AWS: {len(prefix)} characters",
            f"at most {MOST_PREFIX}: names of roles and functions begin with it",
            "give the environment a shorter name",
        )


def _tags(name: str, tags: dict[str, str], places: Places) -> Iterator[Fault]:
    seen: set[str] = set()
    for key, value in tags.items():
        small = key.lower()
        wrong = (
            small in seen
            or small.startswith(_OURS)
            or not 0 < len(key) <= _MOST_KEY
            or len(value) > _MOST_VALUE
            or not _TAG.match(key)
            or ("${" not in value and not _TAG.match(value))
        )
        seen.add(small)
        if wrong:
            yield Fault(
                places.key("environments", name, "tags", key),
                "wrong-value",
                f"the tag `{key}: {value}`",
                f"letters, digits, blanks and . : / = + - @ _, at most {_MOST_KEY} and "
                f"{_MOST_VALUE} characters; a key once, whatever its case, and none that begins "
                "with aws: or runner:",
                "write another tag, or leave it out",
            )
    if len(tags) > _MOST_TAGS:
        yield Fault(
            places.key("environments", name, "tags"),
            "wrong-value",
            f"{len(tags)} tags",
            f"at most {_MOST_TAGS}",
            "leave some out",
        )
