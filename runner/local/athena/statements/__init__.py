"""The statements of Athena: one module a family, one table that lists them.

A family's module is imported by its first statement: most runs use two of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from runner.local.athena.errors import syntax_error, unknown_statement, unsupported

if TYPE_CHECKING:
    from runner.local.athena.session import Outcome, Session, Statement

_HANDLERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("SELECT",), "queries.select"),
    (("WITH",), "queries.select"),
    (("(",), "queries.select"),
    (("VALUES",), "queries.select"),
    (("INSERT",), "inserts.insert_into"),
    (("MERGE", "INTO"), "merges.merge_into"),
    (("DELETE", "FROM"), "merges.delete_from"),
    (("UPDATE",), "merges.update"),
    (("CREATE", "EXTERNAL", "TABLE"), "create_table.create_external"),
    (("CREATE", "TABLE"), "ctas.create_as"),
    (("CREATE", "OR", "REPLACE", "VIEW"), "views.create"),
    (("CREATE", "VIEW"), "views.create"),
    (("CREATE", "DATABASE"), "databases.create"),
    (("CREATE", "SCHEMA"), "databases.create"),
    (("ALTER", "DATABASE"), "databases.alter"),
    (("ALTER", "SCHEMA"), "databases.alter"),
    (("DROP", "TABLE"), "drops.drop_table"),
    (("DROP", "VIEW"), "drops.drop_view"),
    (("DROP", "DATABASE"), "databases.drop"),
    (("DROP", "SCHEMA"), "databases.drop"),
    (("SHOW", "TABLES"), "shows.tables"),
    (("SHOW", "VIEWS"), "shows.views"),
    (("SHOW", "DATABASES"), "shows.databases"),
    (("SHOW", "SCHEMAS"), "shows.databases"),
    (("SHOW", "COLUMNS"), "shows.columns"),
    (("SHOW", "PARTITIONS"), "shows.partitions"),
    (("SHOW", "TBLPROPERTIES"), "shows.properties"),
    (("SHOW", "CREATE", "TABLE"), "show_create.create_table"),
    (("SHOW", "CREATE", "VIEW"), "show_create.create_view"),
    (("DESCRIBE",), "describes.describe"),
    (("DESC",), "describes.describe"),
    (("UNLOAD",), "unload.unload"),
    (("PREPARE",), "prepares.prepare"),
    (("EXECUTE",), "prepares.execute"),
    (("DEALLOCATE", "PREPARE"), "prepares.deallocate"),
    (("EXPLAIN",), "explains.explain"),
    (("OPTIMIZE",), "iceberg_upkeep.optimize"),
    (("VACUUM",), "iceberg_upkeep.vacuum"),
    (("MSCK", "REPAIR", "TABLE"), "partitions.repair"),
    (("ALTER", "TABLE"), "alters.alter"),
)
"""What a statement begins with, and the function that runs it: its module here and its name."""
_KNOWN = frozenset(
    {"ALTER", "CALL", "CREATE", "DEALLOCATE", "DELETE", "DROP", "EXECUTE", "EXPLAIN", "INSERT"}
    | {"MERGE", "OPTIMIZE", "PREPARE", "SHOW", "UNLOAD", "UPDATE", "USING", "VACUUM"}
)
_REFUSED: tuple[tuple[str, ...], ...] = (
    ("ALTER", "INDEX"),
    ("COMMIT",),
    ("CREATE", "INDEX"),
    ("CREATE", "ROLE"),
    ("CREATE", "MACRO"),
    ("CREATE", "TEMPORARY"),
    ("DESCRIBE", "DATABASE"),
    ("DFS",),
    ("DROP", "INDEX"),
    ("DROP", "ROLE"),
    ("DROP", "TEMPORARY"),
    ("EXPORT", "TABLE"),
    ("GRANT",),
    ("IMPORT", "TABLE"),
    ("LOCK",),
    ("REVOKE",),
    ("ROLLBACK",),
    ("SHOW", "COMPACTIONS"),
    ("SHOW", "CURRENT", "ROLES"),
    ("SHOW", "GRANT"),
    ("SHOW", "INDEXES"),
    ("SHOW", "LOCKS"),
    ("SHOW", "PRINCIPALS"),
    ("SHOW", "ROLE"),
    ("SHOW", "ROLES"),
    ("SHOW", "STATS"),
    ("SHOW", "TRANSACTIONS"),
    ("START", "TRANSACTION"),
    ("TRUNCATE",),
    ("UNLOCK",),
)
"""What begins a statement that the user guide lists as unsupported DDL."""


def run_statement(session: Session, statement: Statement) -> Outcome:
    """Run any statement; raises AthenaFailure."""
    words = statement.words()
    if any(words[: len(opening)] == opening for opening in _REFUSED):
        raise unknown_statement()
    for opening, handler in _HANDLERS:
        if words[: len(opening)] == opening:
            module, _, function = handler.partition(".")
            outcome: Outcome = getattr(import_module(f"{__name__}.{module}"), function)(
                session, statement
            )
            return outcome
    if words and words[0] in _KNOWN:
        raise unsupported(f"{' '.join(words[:2])} statement", line=1, column=1)
    first = statement.tokens[0].text if statement.tokens else "<EOF>"
    raise syntax_error(1, 1, f"mismatched input '{first}'. Expecting: a statement")
