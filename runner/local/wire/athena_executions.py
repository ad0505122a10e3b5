"""Query executions on the wire: start, follow, stop, results, history.

In: Athena's QueryExecution operations.  Out: AWS's shapes; instants are epoch seconds.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runner.local.athena.classify import classify
from runner.local.athena.errors import InvalidRequest, syntax_error
from runner.local.athena.lexer import position, tokenize
from runner.local.athena.syntax import Syntax
from runner.local.wire.members import invalid_value, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.athena import LocalAthena
    from runner.local.athena.lexer import Token
    from runner.local.wire.athena_workgroups import WorkGroups
    from runner.local.wire.members import Members

_HOLD_S = 0.6
"""How long the first poll of a running query waits: clients sleep a second before the next."""
_MOST_ROWS = 1000
_INSTANTS = ("SubmissionDateTime", "CompletionDateTime")
_TOKEN = re.compile(r"(\d+(?:\.\d+)?)_(\S+)")
_CTAS = "CREATE_TABLE_AS_SELECT"
_QUERIES = frozenset({"(", "SELECT", "TABLE", "VALUES", "WITH"})
"""What the query of a CTAS begins with."""
_CATALOGS = frozenset({"", "awsdatacatalog"})
_TIMES = (
    "QueryQueueTimeInMillis",
    "ServicePreProcessingTimeInMillis",
    "QueryPlanningTimeInMillis",
    "EngineExecutionTimeInMillis",
    "ServiceProcessingTimeInMillis",
    "TotalExecutionTimeInMillis",
)


class Executions:
    """The query executions of one Athena."""

    def __init__(self, athena: LocalAthena, groups: WorkGroups) -> None:
        """Take what runs queries, and the work groups."""
        self._athena = athena
        self._groups = groups
        self._syntax = Syntax()

    def start(self, members: Members) -> dict[str, Any]:
        """Start a query, or find one by its token or an earlier result."""
        sql = members.text("QueryString")
        group = members.work_group()
        context = members.structure("QueryExecutionContext")
        context.text("Database", most=255, default="")
        catalog = context.text("Catalog", most=256, default="").lower()
        members.structure("ResultConfiguration").text("OutputLocation", default="", least=0)
        if "ExecutionParameters" in members:
            members.texts("ExecutionParameters", most=1000)
        request = {**members.raw(), "WorkGroup": group}
        terms = self._groups.terms(request, group)
        self._check_statement(
            sql, central=terms.central, complete="ExecutionParameters" not in members
        )
        if catalog not in _CATALOGS:
            raise refused(f"Catalog {catalog} was not found", detail="DATACATALOG_NOT_FOUND")
        age = _reuse_minutes(members.structure("ResultReuseConfiguration"))
        identity = self._athena.start(request, terms, reuse_s=age * 60 if age else 0)
        return {"QueryExecutionId": identity}

    def get(self, members: Members) -> dict[str, Any]:
        """Give an execution; the first time that it is asked for, wait a moment for its end."""
        identity = members.text("QueryExecutionId", most=128)
        self._athena.hold(identity, _HOLD_S)
        return {"QueryExecution": self._found(identity)}

    def batch_get(self, members: Members) -> dict[str, Any]:
        """Give several executions, and the ids that are none."""
        found, missing = [], []
        for identity in members.texts("QueryExecutionIds"):
            try:
                found.append(self._found(identity))
            except InvalidRequest as error:
                missing.append(
                    {
                        "QueryExecutionId": identity,
                        "ErrorCode": error.detail,
                        "ErrorMessage": error.message,
                    }
                )
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list(self, members: Members) -> dict[str, Any]:
        """Give the ids of a work group's executions, the newest first."""
        group = members.work_group()
        token, most = members.page(least=0)
        self._groups.find(group)
        after = None
        if token:
            match = _TOKEN.fullmatch(token)
            if match is None:
                raise refused(f"The nextPageToken is malformed: {token}")
            after = (float(match[1]), match[2])
        rows = self._athena.history.page(group, after=after, most=most + 1)
        answer: dict[str, Any] = {"QueryExecutionIds": [row[0] for row in rows[:most]]}
        if len(rows) > most:
            last = rows[most - 1]
            answer["NextToken"] = f"{last[1]!r}_{last[0]}"
        return answer

    def stop(self, members: Members) -> dict[str, Any]:
        """Stop a query; one that has ended stays as it is."""
        identity = members.text("QueryExecutionId", most=128)
        return self._athena.stop_query_execution(QueryExecutionId=identity)

    def results(self, members: Members) -> dict[str, Any]:
        """Give a page of rows."""
        token = members.text("NextToken", most=1024, default="0")
        most = members.number("MaxResults", _MOST_ROWS, least=1, most=100_000)
        identity = members.text("QueryExecutionId", most=128)
        kind = members.text("QueryResultType", default="DATA_ROWS")
        if kind != "DATA_ROWS":
            raise refused(f"QueryResultType {kind} is not served by the local engine")
        return self._athena.get_query_results(
            QueryExecutionId=identity, MaxResults=most, NextToken=token
        )

    def statistics(self, members: Members) -> dict[str, Any]:
        """Give an execution's times and bytes."""
        identity = members.text("QueryExecutionId", most=128)
        known = self._found(identity)["Statistics"]
        rows = {"InputBytes": known["DataScannedInBytes"]}
        given = self._athena.output_rows(identity)
        if given is not None:
            rows["OutputRows"] = given
        return {
            "QueryRuntimeStatistics": {
                "Timeline": {name: known[name] for name in _TIMES if name in known},
                "Rows": rows,
            }
        }

    def _check_statement(self, sql: str, *, central: bool, complete: bool) -> None:
        """Refuse at once what is no statement, and a CTAS that Athena does not submit.

        A query whose parameters stand elsewhere is not `complete`.
        """
        tokens = tokenize(sql)
        classified = classify(tokens)
        if classified is None and tokens and not tokens[0].word():
            failure = syntax_error(1, 1, f"mismatched input '{tokens[0].text}'")
            raise refused(failure.reason.partition(": ")[2], detail="MALFORMED_QUERY")
        if complete and classified is not None and classified.substatement == "SELECT":
            self._syntax.check(sql)
        if classified is not None and classified.substatement == _CTAS:
            _check_ctas(sql, tokens, central=central)

    def _found(self, identity: str) -> dict[str, Any]:
        found = self._athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
        return _told(found)


def _told(execution: Mapping[str, Any]) -> dict[str, Any]:
    """Write a record as the wire has it."""
    status = dict(execution["Status"])
    for name in _INSTANTS:
        if name in status:
            status[name] = datetime.fromisoformat(status[name]).timestamp()
    told = {**execution, "Status": status}
    if "ManagedQueryResultsConfiguration" in told:
        del told["ResultConfiguration"]
    return told


def _check_ctas(sql: str, tokens: Sequence[Token], *, central: bool) -> None:
    words = [token.text.upper() for token in tokens]
    place = words.index("AS") if "AS" in words else len(words)
    if central and "EXTERNAL_LOCATION" in words[:place]:
        raise refused(
            "The Create Table As Select query failed because it was submitted with an "
            "'external_location' property to an Athena Workgroup that enforces a centralized "
            "output location for all queries. Please remove the 'external_location' property "
            "and resubmit the query."
        )
    if place + 1 < len(words) and words[place + 1] not in _QUERIES:
        token = tokens[place + 1]
        line, column = position(sql, token.start)
        expected = ", ".join(f"'{word}'" for word in sorted(_QUERIES))
        raise refused(
            f"line {line}:{column}: extraneous input '{token.text}' expecting {{{expected}}}",
            detail="MALFORMED_QUERY",
        )


def _reuse_minutes(reuse: Members) -> int:
    """Give the age up to which an earlier result will do; 0 for none."""
    if "ResultReuseByAgeConfiguration" not in reuse:
        return 0
    by_age = reuse.structure("ResultReuseByAgeConfiguration")
    if "Enabled" not in by_age:
        raise invalid_value(
            "resultReuseConfiguration.resultReuseByAgeConfiguration.enabled",
            "Member must not be null",
        )
    minutes = by_age.number("MaxAgeInMinutes", 60, least=0, most=10080)
    return minutes if by_age.flag("Enabled") else 0
