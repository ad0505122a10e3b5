"""Named queries and prepared statements on the wire.

In: Athena's NamedQuery and PreparedStatement operations.  Out: AWS's shapes.
"""

from __future__ import annotations

import json
import uuid
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import InvalidRequest
from runner.local.athena.executions import MOST_BYTES
from runner.local.wire.athena_workgroups import NAMED_QUERY
from runner.local.wire.members import page_of, refused

if TYPE_CHECKING:
    from runner.local.athena.prepared import Prepared
    from runner.local.wire.athena_workgroups import WorkGroups
    from runner.local.wire.members import Members
    from runner.local.wire.registry import Document, Registry

_MOST_PREPARED = 256


class NamedQueries:
    """The named queries of all work groups."""

    def __init__(self, registry: Registry, groups: WorkGroups) -> None:
        """Take the file, and the work groups."""
        self._registry = registry
        self._groups = groups

    def create(self, members: Members) -> dict[str, Any]:
        """Keep a query; the same token gives the same id."""
        group = members.work_group()
        self._groups.find(group)
        token = members.text("ClientRequestToken", least=32, most=128, default="")
        content = {
            "Name": members.text("Name", most=128),
            "Database": members.text("Database", most=255),
            "QueryString": members.text("QueryString", most=MOST_BYTES),
            "WorkGroup": group,
        }
        described = members.text("Description", most=1024, default="")
        if described:
            content["Description"] = described
        identity = _identity(token, content) if token else str(uuid.uuid4())
        self._registry.add(NAMED_QUERY, identity, content)
        return {"NamedQueryId": identity}

    def get(self, members: Members) -> dict[str, Any]:
        """Give a query."""
        identity = members.text("NamedQueryId", most=128)
        return {"NamedQuery": _named(self._find(identity))}

    def batch_get(self, members: Members) -> dict[str, Any]:
        """Give several queries, and the ids that are none."""
        found, missing = [], []
        for identity in members.texts("NamedQueryIds"):
            document = self._registry.get(NAMED_QUERY, identity)
            if document is not None:
                found.append(_named(document))
                continue
            missing.append(
                {
                    "NamedQueryId": identity,
                    "ErrorCode": "INTERNAL_FAILURE",
                    "ErrorMessage": f"NamedQuery {identity} was not found",
                }
            )
        return {"NamedQueries": found, "UnprocessedNamedQueryIds": missing}

    def list(self, members: Members) -> dict[str, Any]:
        """Give the ids of a work group's queries."""
        group = members.work_group()
        token, most = members.page(least=0)
        self._groups.find(group)
        identities = [
            each.name
            for each in self._registry.all(NAMED_QUERY)
            if each.content["WorkGroup"] == group
        ]
        names, following = page_of(identities, token, most)
        return {"NamedQueryIds": list(names), **following}

    def update(self, members: Members) -> dict[str, Any]:
        """Change name, text and description."""
        identity = members.text("NamedQueryId", most=128)
        changed = {
            "Name": members.text("Name", most=128),
            "QueryString": members.text("QueryString", most=MOST_BYTES),
        }
        if "Description" in members:
            changed["Description"] = members.text("Description", least=0, most=1024)
        self._find(identity)
        self._registry.change(NAMED_QUERY, identity, lambda before: {**before, **changed})
        return {}

    def delete(self, members: Members) -> dict[str, Any]:
        """Forget a query."""
        identity = members.text("NamedQueryId", most=128)
        self._find(identity)
        self._registry.remove(NAMED_QUERY, identity)
        return {}

    def _find(self, identity: str) -> Document:
        found = self._registry.get(NAMED_QUERY, identity)
        if found is None:
            raise refused(f"NamedQuery {identity} was not found")
        return found


def _identity(token: str, content: dict[str, str]) -> str:
    """Make the id that a token and what it comes with always have."""
    digest = sha256(f"{token}\n{json.dumps(content, sort_keys=True)}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _named(document: Document) -> dict[str, Any]:
    told = {key: value for key, value in document.content.items() if value}
    return {**told, "NamedQueryId": document.name}


class PreparedStatements:
    """The prepared statements of all work groups."""

    def __init__(self, prepared: Prepared, groups: WorkGroups) -> None:
        """Take the store, and the work groups."""
        self._prepared = prepared
        self._groups = groups

    def create(self, members: Members) -> dict[str, Any]:
        """Keep a statement."""
        return self._prepared.create_prepared_statement(**self._given(members))

    def update(self, members: Members) -> dict[str, Any]:
        """Replace a statement."""
        return self._prepared.update_prepared_statement(**self._given(members))

    def get(self, members: Members) -> dict[str, Any]:
        """Give a statement."""
        found = self._prepared.get_prepared_statement(
            StatementName=members.text("StatementName", most=_MOST_PREPARED),
            WorkGroup=self._group(members),
        )
        return {"PreparedStatement": _filled(found["PreparedStatement"])}

    def batch_get(self, members: Members) -> dict[str, Any]:
        """Give several statements, and the names that are none."""
        group = self._group(members)
        found, missing = [], []
        for name in members.texts("PreparedStatementNames", most=MOST_NAMES):
            try:
                one = self._prepared.get_prepared_statement(StatementName=name, WorkGroup=group)
            except InvalidRequest as error:
                missing.append(
                    {
                        "StatementName": name,
                        "ErrorCode": "STATEMENT_NOT_FOUND",
                        "ErrorMessage": error.message,
                    }
                )
            else:
                found.append(_filled(one["PreparedStatement"]))
        return {"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing}

    def list(self, members: Members) -> dict[str, Any]:
        """Give names and times."""
        token, most = members.page()
        return self._prepared.list_prepared_statements(
            WorkGroup=self._group(members), NextToken=token, MaxResults=most
        )

    def delete(self, members: Members) -> dict[str, Any]:
        """Forget a statement."""
        return self._prepared.delete_prepared_statement(
            StatementName=members.text("StatementName", most=_MOST_PREPARED),
            WorkGroup=self._group(members),
        )

    def _group(self, members: Members) -> str:
        name = members.work_group(default=None)
        self._groups.find(name)
        return name

    def _given(self, members: Members) -> dict[str, str]:
        return {
            "StatementName": members.text("StatementName", most=_MOST_PREPARED),
            "WorkGroup": self._group(members),
            "QueryStatement": members.text("QueryStatement", most=MOST_BYTES),
            "Description": members.text("Description", most=1024, default=""),
        }


MOST_NAMES = 256


def _filled(statement: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if value != ""}
