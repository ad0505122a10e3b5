"""Show what stands in the local mart: its tables, how many rows, and the first few of each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
FIRST_ROWS = 3


def mart_file() -> str:
    """Read from config.yaml where the local environment keeps its mart."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    return str(config["environments"]["local"]["marts"]["main"]["path"])


def show_table(connection: sqlite3.Connection, table: str) -> None:
    """Print one table's name, count and first rows."""
    rows = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
    cursor = connection.execute(f'SELECT * FROM "{table}" LIMIT {FIRST_ROWS}')
    print(f"\n{table}: {rows} rows")
    print("  " + " | ".join(column[0] for column in cursor.description))
    for row in cursor:
        print(
            "  "
            + " | ".join(
                f"{value:.4g}" if isinstance(value, float) else str(value) for value in row
            )
        )


def main() -> None:
    """Print every table of the mart, then how to look further."""
    file = mart_file()
    with closing(sqlite3.connect(f"file:{ROOT / file}?mode=ro", uri=True)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' "
            "ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        )
        for (name,) in names.fetchall():
            show_table(connection, name)
    print(f"\nThe mart is {file}; open it with: sqlite3 {file}")
    print("Look further with: source .venv/bin/activate; runner --help; runner list")


if __name__ == "__main__":
    main()
