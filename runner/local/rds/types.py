"""The type of a column in an export, by its type in MySQL, as RDS maps them.

In: a column's type as the database writes it.  Out: DuckDB's type, whose Parquet form is that of
RDS: DATE and TIME are text there, CHAR and what is binary are bytes without a mark that they are
text.  Types of SQLite are read the same way, its INTEGER as a BIGINT.
"""

from __future__ import annotations

import re

_PARTS = re.compile(r"\s*([a-z ]*[a-z])\s*(?:\((\d+)(?:\s*,\s*(\d+))?\))?", re.IGNORECASE)
_MOST_DIGITS = 38
_INT32 = ("tinyint", "smallint", "mediumint", "year")
_BYTES = (
    "bit",
    "binary",
    "varbinary",
    "char",
    "geometry",
    "point",
    "linestring",
    "polygon",
)
_PLAIN = {
    "bigint": "BIGINT",
    "int": "INTEGER",
    "float": "DOUBLE",
    "double": "DOUBLE",
    "real": "DOUBLE",
    "datetime": "TIMESTAMP",
    "timestamp": "TIMESTAMP",
    "bool": "INTEGER",
    "boolean": "INTEGER",
    **dict.fromkeys(_INT32, "INTEGER"),
    **dict.fromkeys(_BYTES, "BLOB"),
}


def exported_type(written: str, *, precision: int | None = None, scale: int | None = None) -> str:
    """Give DuckDB's type for a column.

    >>> exported_type("bigint(20) unsigned"), exported_type("int(10) unsigned")
    ('DECIMAL(20,0)', 'BIGINT')
    >>> exported_type("decimal(10,2)"), exported_type("decimal(65,2)"), exported_type("date")
    ('DECIMAL(10,2)', 'VARCHAR', 'VARCHAR')
    >>> exported_type("char(2)"), exported_type("varchar(2)"), exported_type("longblob")
    ('BLOB', 'VARCHAR', 'BLOB')
    """
    match = _PARTS.match(written)
    words = match[1].lower().split() if match else [""]
    base = words[0]
    if base in ("decimal", "numeric", "dec", "fixed"):
        digits = precision or int((match and match[2]) or 10)
        behind = scale if scale is not None else int((match and match[3]) or 0)
        return f"DECIMAL({digits},{behind})" if digits <= _MOST_DIGITS else "VARCHAR"
    if "unsigned" in written.lower() and base in ("bigint", "int", "mediumint"):
        return "DECIMAL(20,0)" if base == "bigint" else "BIGINT"
    if base.endswith("blob"):
        return "BLOB"
    return _PLAIN.get(base, "VARCHAR")


def sqlite_type(written: str) -> str:
    """Give DuckDB's type for a column of SQLite, whose INTEGER has 64 bits.

    >>> sqlite_type("INTEGER"), sqlite_type("CHAR(2)"), sqlite_type("")
    ('BIGINT', 'BLOB', 'VARCHAR')
    """
    return "BIGINT" if written.strip().lower() == "integer" else exported_type(written)
