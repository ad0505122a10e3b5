"""Work groups: their settings, and what they make of a query's request.

In: Athena's WorkGroup operations.  Out: AWS's shapes.  `primary` is always there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import InvalidRequest
from runner.local.athena.executions import Terms, location_of
from runner.local.wire.members import page_of, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.athena import LocalAthena
    from runner.local.wire.athena_tags import Tags
    from runner.local.wire.json11 import Refusal
    from runner.local.wire.members import Members
    from runner.local.wire.registry import Document, Registry

KIND = "work group"
NAMED_QUERY = "named query"
ENGINE = {
    "SelectedEngineVersion": "AUTO",
    "EffectiveEngineVersion": "Athena engine version 3",
}
_LEAST_CUTOFF = 10_000_000
_MOST_GROUPS = 1000
_DEFAULTS: dict[str, Any] = {
    "ResultConfiguration": {},
    "EnforceWorkGroupConfiguration": True,
    "PublishCloudWatchMetricsEnabled": True,
    "RequesterPaysEnabled": False,
    "EngineVersion": ENGINE,
    "EnableMinimumEncryptionConfiguration": False,
}
_MERGED = frozenset(
    {
        "EngineVersion",
        "ManagedQueryResultsConfigurationUpdates",
        "ResultConfigurationUpdates",
    }
)
"""Updates that are more than a member to replace."""
_SPARK = "PySpark engine version 3"


class WorkGroups:
    """The work groups of one Athena."""

    def __init__(
        self, registry: Registry, athena: LocalAthena, tags: Tags, *, results: str, managed: str
    ) -> None:
        """Take where `primary` writes its results, and where managed results go."""
        self._registry = registry
        self._athena = athena
        self._tags = tags
        self._managed = managed
        primary = {
            **_DEFAULTS,
            "ResultConfiguration": {"OutputLocation": results} if results else {},
            "EnforceWorkGroupConfiguration": False,
            "PublishCloudWatchMetricsEnabled": False,
        }
        registry.add(KIND, "primary", {"State": "ENABLED", "Configuration": primary})

    def find(self, name: str) -> Document:
        """Give a work group; raises Refusal."""
        found = self._registry.get(KIND, name)
        if found is None:
            raise refused("WorkGroup is not found.")
        return found

    def terms(self, request: Mapping[str, Any], name: str) -> Terms:
        """Give what the work group makes of a request; raises Refusal, InvalidRequest."""
        group = self.find(name).content
        if group["State"] != "ENABLED":
            raise refused(f"WorkGroup {name} is disabled.")
        settings = group["Configuration"]
        limit = int(settings.get("BytesScannedCutoffPerQuery") or 0)
        own = str(settings["ResultConfiguration"].get("OutputLocation") or "")
        if is_managed(settings):
            if (request.get("ResultConfiguration") or {}).get("OutputLocation"):
                raise refused(
                    "ResultConfiguration.OutputLocation cannot be set when "
                    "ManagedQueryResultsConfiguration is enabled in the workgroup."
                )
            return Terms(f"{self._managed}{name}/", limit, managed=True)
        enforced = bool(settings.get("EnforceWorkGroupConfiguration") and own)
        given = {} if enforced else request.get("ResultConfiguration") or {}
        results = {**settings["ResultConfiguration"], **given}
        location = location_of({"ResultConfiguration": given}, own)
        return Terms(location, limit, central=enforced, results=results)

    def create(self, members: Members) -> dict[str, Any]:
        """Make a work group."""
        name = members.work_group("Name", default=None)
        given = members.mapping("Configuration")
        _check(given)
        settings = {**_DEFAULTS, **given, "EngineVersion": ENGINE}
        content = {
            "State": "ENABLED",
            "Description": members.text("Description", least=0, most=1024, default=""),
            "Configuration": settings,
        }
        if len(self._registry.all(KIND)) >= _MOST_GROUPS:
            raise refused(f"You have reached the limit of {_MOST_GROUPS} workgroups.")
        if not self._registry.add(KIND, name, content):
            raise refused("WorkGroup is already created")
        self._tags.set(f"workgroup/{name}", members.items("Tags"))
        return {}

    def get(self, members: Members) -> dict[str, Any]:
        """Give a work group."""
        name = members.work_group(default=None)
        found = self.find(name)
        told = {key: value for key, value in found.content.items() if value != ""}
        return {"WorkGroup": {"Name": name, **told, "CreationTime": found.created}}

    def update(self, members: Members) -> dict[str, Any]:
        """Change settings; what is not named stays."""
        name = members.work_group(default=None)
        updates = members.mapping("ConfigurationUpdates")
        state = members.text("State", default="")
        if state not in {"", "ENABLED", "DISABLED"}:
            raise refused("State must be ENABLED or DISABLED")

        def change(content: dict[str, Any]) -> dict[str, Any]:
            settings = _updated(content["Configuration"], updates)
            _check(settings)
            changed = {**content, "Configuration": settings}
            if state:
                changed["State"] = state
            if "Description" in members:
                changed["Description"] = members.text("Description", least=0, most=1024)
            return changed

        if not self._registry.change(KIND, name, change):
            raise refused("WorkGroup is not found.")
        return {}

    def delete(self, members: Members) -> dict[str, Any]:
        """Drop a work group; one with contents only with RecursiveDeleteOption."""
        name = members.work_group(default=None)
        self.find(name)
        if name == "primary":
            raise refused("The primary workgroup cannot be deleted.")
        queries = [
            each.name
            for each in self._registry.all(NAMED_QUERY)
            if each.content["WorkGroup"] == name
        ]
        if not members.flag("RecursiveDeleteOption") and (queries or self._used(name)):
            raise refused(f"WorkGroup {name} is not empty")
        for query in queries:
            self._registry.remove(NAMED_QUERY, query)
        self._athena.prepared.forget(name)
        self._athena.history.forget(name)
        self._registry.remove(KIND, name)
        self._tags.drop(f"workgroup/{name}")
        return {}

    def list(self, members: Members) -> dict[str, Any]:
        """Give all work groups in order of name."""
        groups = {each.name: each for each in self._registry.all(KIND)}
        names, following = page_of(tuple(groups), *members.page())
        return {"WorkGroups": [_summary(groups[name]) for name in names], **following}

    def _used(self, name: str) -> bool:
        listed = self._athena.prepared.list_prepared_statements(WorkGroup=name, MaxResults=1)
        return bool(
            listed["PreparedStatements"] or self._athena.history.page(name, after=None, most=1)
        )


def is_managed(settings: Mapping[str, Any]) -> bool:
    """Tell whether Athena keeps the results of the work group's queries."""
    return bool((settings.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"))


def _summary(group: Document) -> dict[str, Any]:
    return {
        "Name": group.name,
        "State": group.content["State"],
        "Description": group.content.get("Description", ""),
        "CreationTime": group.created,
        "EngineVersion": ENGINE,
    }


def _check(settings: Mapping[str, Any]) -> None:
    """Refuse settings that Athena does not take."""
    limit = settings.get("BytesScannedCutoffPerQuery")
    if limit is not None and (not isinstance(limit, int) or limit < _LEAST_CUTOFF):
        raise refused(
            "1 validation error detected: Value at 'bytesScannedCutoffPerQuery' failed to satisfy "
            f"constraint: Member must have value greater than or equal to {_LEAST_CUTOFF}"
        )
    location = (settings.get("ResultConfiguration") or {}).get("OutputLocation")
    if location:
        try:
            location_of({"ResultConfiguration": {"OutputLocation": location}}, "")
        except InvalidRequest as error:
            raise refused(error.message) from error
    if location and is_managed(settings):
        raise refused(
            "ResultConfiguration.OutputLocation cannot be set when "
            "ManagedQueryResultsConfiguration is enabled."
        )
    _check_engine(settings)


def _check_engine(settings: Mapping[str, Any]) -> None:
    version = (settings.get("EngineVersion") or {}).get("SelectedEngineVersion") or "AUTO"
    if version == _SPARK:
        raise _no_spark()
    if version not in ENGINE.values():
        raise refused(f"Invalid engine version: {version}")


def _no_spark() -> Refusal:
    return refused(f"{_SPARK} is not served by the local engine")


def _updated(settings: Mapping[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    """Merge ConfigurationUpdates into a Configuration."""
    _check_engine(updates)
    results = _merged(
        settings.get("ResultConfiguration") or {}, updates.get("ResultConfigurationUpdates") or {}
    )
    changed = {**settings, "ResultConfiguration": results}
    managed = updates.get("ManagedQueryResultsConfigurationUpdates")
    if managed:
        before = changed.get("ManagedQueryResultsConfiguration") or {"Enabled": False}
        changed["ManagedQueryResultsConfiguration"] = _merged(before, managed)
    plain = {name: updates[name] for name in updates if name not in _MERGED}
    return _merged(changed, plain)


def _merged(before: Mapping[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    """Replace members; `RemoveX` takes X away."""
    gone = {name.removeprefix("Remove") for name, value in updates.items() if _removes(name, value)}
    new = {name: value for name, value in updates.items() if not name.startswith("Remove")}
    return {name: value for name, value in {**before, **new}.items() if name not in gone}


def _removes(name: str, value: object) -> bool:
    return name.startswith("Remove") and value is True
