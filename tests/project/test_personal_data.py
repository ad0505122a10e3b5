"""Masks of headers and sources, and the way of personal data through a project's files."""

# ruff: noqa: E501, ISC004 - a statement is easier to judge in one line
from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from runner.checks.pii import export_faults
from runner.errors import Place, ProjectError
from runner.model.names import TableName
from runner.project import inspect_project, load_project
from runner.query import Lineage
from tests.project.projects import BASE, good_project, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model.project import PersonalStep, Project, Table

CONFIG = (BASE / "config.yaml").read_text("utf-8")
SOURCES = "sources:\n  crm.customers: {columns: {id: bigint, name: string}}"
DAY = 'partition:\n  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}'
COLUMNS = "{id: bigint, name: string, email: string, born: date, dt: string}"


def config(customers: str, more: str = "") -> str:
    key = "security.mask_key: {columns: {key: string}}"
    source = f"crm.customers: {{columns: {COLUMNS}{customers}}}"
    return CONFIG.replace(SOURCES, f"sources:\n  {source}\n  {key}\n{more}")


PII = config(", pii: [name, email, born]")


def project(folder: Path, files: dict[str, str]) -> Path:
    return write_files(good_project(folder), files)


def faults(root: Path) -> list[str]:
    return [f"{fault.place} {fault.code}: {fault.found}" for fault in inspect_project(root).faults]


def table(project: Project, name: str = "marts.x") -> Table:
    return project.table(TableName.parse(name))


def text(found: Table) -> str:
    return "".join(part if isinstance(part, str) else f"<{part.base}>" for part in found.sql.parts)


# --- the header's masks ---------------------------------------------------------------------------


def test_a_header_masks_the_columns_of_its_query(tmp_path: Path) -> None:
    sql = "/*---\nmask: {name: null, email: domain, id: drop}\n---*/\nSELECT id, name, email FROM crm.customers\n"
    found = table(load_project(project(tmp_path, {"config.yaml": PII, "sql/marts/x.sql": sql})))
    assert [column.name for column in found.columns] == ["name", "email"]
    assert found.pii == ()
    assert text(found) == (
        'SELECT /*mask:null*/IF(false, "name")/*mask:end*/ AS "name", '
        "/*mask:domain*/lower(regexp_extract(CAST(\"email\" AS varchar), '@([^@]+)$', 1))"
        '/*mask:end*/ AS "email" FROM (SELECT id, name, email FROM crm.customers\n) AS unmasked'
    )


def test_an_age_is_by_the_partition_where_there_is_one(tmp_path: Path) -> None:
    query = "SELECT id, born, dt FROM crm.customers WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
    files = {
        "config.yaml": PII,
        "sql/marts/x.sql": f"/*---\n{DAY}\nmask: {{born: age_decade}}\n---*/\n{query}\n",
        "sql/marts/y.sql": "/*---\nmask: {born: age_decade}\n---*/\nSELECT born FROM crm.customers",
        "sql/marts/z.sql": "/*---\nmask: {born: {age_decade: dt}}\n---*/\n"
        "SELECT born, dt FROM crm.customers",
    }
    loaded = load_project(project(tmp_path, files))
    by_row = "CAST(parse_datetime(CAST(\"dt\" AS varchar), 'yyyy-MM-dd') AS date)"
    assert text(table(loaded)).count(by_row) == 2
    assert text(table(loaded)).count("<end>") == 1
    assert text(table(loaded, "marts.y")).count("DATE '<end>'") == 2
    assert 'CAST(substr(CAST("dt" AS varchar), 1, 10) AS date)' in text(table(loaded, "marts.z"))
    marks = table(loaded, "marts.y").sql.marks()
    assert [(mark.base, mark.format) for mark in marks] == [("end", "yyyy-MM-dd")]


BAD_HEADERS = {
    "unknown": ("mask: {nam: 'null'}", "SELECT name FROM crm.customers", "`nam`"),
    "star": ("mask: {name: 'null'}", "SELECT * FROM crm.customers", "SELECT *"),
    "two methods": (
        "mask: {name: {truncate: 1, constant: x}}",
        "SELECT name FROM crm.customers",
        "truncate and constant",
    ),
    "no method": ("mask: {name: {}}", "SELECT name FROM crm.customers", "no method"),
    "all dropped": ("mask: {name: drop}", "SELECT name FROM crm.customers", "every column"),
    "age at nothing": (
        "mask: {born: {age_decade: day}}",
        "SELECT born FROM crm.customers",
        "`day`",
    ),
    "partition": (
        f"{DAY}\nmask: {{dt: 'null'}}",
        "SELECT id, dt FROM crm.customers WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'",
        "partition column",
    ),
}


@pytest.mark.parametrize("case", BAD_HEADERS)
def test_a_mask_that_cannot_be_applied_is_refused(case: str, tmp_path: Path) -> None:
    header, query, found = BAD_HEADERS[case]
    sql = f"/*---\n{header}\n---*/\n{query}\n"
    (fault,) = faults(project(tmp_path, {"config.yaml": config(""), "sql/marts/x.sql": sql}))
    assert " bad-mask: " in fault
    assert found in fault


def test_a_ddl_table_is_tagged_and_not_masked(tmp_path: Path) -> None:
    sql = (BASE / "sql/raw/events.sql").read_text("utf-8")
    sql = sql.replace("kind: ddl", "kind: ddl\nmask: {shop: domain}")
    (fault,) = faults(project(tmp_path, {"sql/raw/events.sql": sql}))
    assert fault.startswith("sql/raw/events.sql:3:1 bad-mask: `mask` in a table of kind ddl")


def test_places_stay_those_of_the_file(tmp_path: Path) -> None:
    sql = "/*---\nmask: {name: domain}\n---*/\nSELECT name,\n  nothing\nFROM crm.customers\n"
    masked = config(", mask: {email: domain}")
    (fault,) = faults(project(tmp_path, {"config.yaml": masked, "sql/marts/x.sql": sql}))
    assert fault.startswith("sql/marts/x.sql:5:3 unknown-column")


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["to_utf8('secret')", "to_utf8('{{ vars.salt }}')", "from_hex('00')", "X'00'"]
)
def test_a_key_in_the_statement_is_refused(key: str, tmp_path: Path) -> None:
    sql = f"SELECT id,\n  hmac_sha256(to_utf8(name), {key}) AS h\nFROM crm.customers\n"
    files = {
        "config.yaml": CONFIG.replace("vars: {least: 10}", "vars: {least: 10, salt: x}"),
        "sql/marts/x.sql": sql,
    }
    (fault,) = faults(project(tmp_path, files))
    assert fault.startswith("sql/marts/x.sql:2:23 mask-key")


def test_a_literal_key_in_a_setting_is_refused_and_not_shown(tmp_path: Path) -> None:
    sql = "/*---\nmask: {name: {hash: s3cr3t}}\n---*/\nSELECT name FROM crm.customers\n"
    (fault,) = faults(project(tmp_path, {"sql/marts/x.sql": sql}))
    assert fault == "sql/marts/x.sql:2:21 plain-secret: a plain text for `hash`"


def test_the_key_is_a_table_that_is_read(tmp_path: Path) -> None:
    files = {
        "config.yaml": PII,
        "sql/marts/x.sql": "/*---\nmask: {name: {hash: security.mask_key.key}}\n---*/\n"
        "SELECT name FROM crm.customers\n",
        "sql/marts/y.sql": "SELECT {{ mask.hash('name', 'security.mask_key.key') }} AS name\n"
        "FROM crm.customers\n",
    }
    loaded = load_project(project(tmp_path, files))
    for name in ("marts.x", "marts.y"):
        assert set(table(loaded, name).sources) == {"crm.customers", "security.mask_key"}
        assert table(loaded, name).pii == ()


# --- macros ---------------------------------------------------------------------------------------


def test_a_macro_of_the_users_own_takes_the_name(tmp_path: Path) -> None:
    files = {
        "sql/macros/mask.sql": "{% macro mask(x) %}upper({{ x }}){% endmacro %}\n",
        "sql/marts/x.sql": "SELECT {{ mask('name') }} AS name FROM crm.customers\n",
    }
    found = table(load_project(project(tmp_path, files)))
    assert text(found) == "SELECT upper(name) AS name FROM crm.customers"


def test_masks_work_inside_macros(tmp_path: Path) -> None:
    files = {
        "config.yaml": PII,
        "sql/macros/m.sql": "{% macro host(x) %}{{ mask.domain(x) }}{% endmacro %}\n",
        "sql/marts/x.sql": "SELECT {{ host('email') }} AS host,"
        " {{ mask.age_decade('born') }} AS age FROM crm.customers\n",
    }
    found = table(load_project(project(tmp_path, files)))
    assert found.pii == ()
    assert text(found).count("DATE '<end>'") == 2


BAD_CALLS = {
    "mask.domains('x')": "mask.domains",
    "mask.domain(1)": "mask.domain with 1",
    "mask.truncate('x', 0)": "mask.truncate with 0",
    "mask.hash('x')": "mask.hash with a key that is written out, or none",
    "mask.hash('x', 's3cr3t')": "mask.hash with a key that is written out, or none",
    "mask.constant(none)": "mask.constant with",
}


@pytest.mark.parametrize("call", BAD_CALLS)
def test_a_wrong_call_of_a_mask(call: str, tmp_path: Path) -> None:
    sql = f"SELECT id,\n  {{{{ {call} }}}} AS h\nFROM crm.customers\n"
    (fault,) = faults(project(tmp_path, {"sql/marts/x.sql": sql}))
    assert fault.startswith("sql/marts/x.sql:2:")
    assert f"jinja-mask: {BAD_CALLS[call]}" in fault


# --- masked sources -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT email FROM crm.customers", 'SELECT email FROM ({inner} crm.customers) AS "customers"'),
        ("SELECT c.email FROM crm.customers c", "SELECT c.email FROM ({inner} crm.customers) c"),
        (
            "SELECT crm.customers.email FROM crm.customers",
            'SELECT customers.email FROM ({inner} crm.customers) AS "customers"',
        ),
        (
            "WITH customers AS (SELECT email FROM crm.customers AS c) SELECT email FROM customers",
            "WITH customers AS (SELECT email FROM ({inner} crm.customers) AS c)"
            " SELECT email FROM customers",
        ),
    ],
)  # fmt: skip
def test_a_masked_source_is_read_through_its_masks(
    query: str, expected: str, tmp_path: Path
) -> None:
    files = {
        "config.yaml": config(", pii: [name, email], mask: {email: {truncate: 1}, name: drop}"),
        "sql/marts/x.sql": query,
    }
    found = table(load_project(project(tmp_path, files)))
    inner = (
        'SELECT "id", /*mask:truncate*/substr(CAST("email" AS varchar), 1, 1)/*mask:end*/ AS '
        '"email", "born", "dt" FROM'
    )
    assert text(found) == expected.format(inner=inner)
    assert found.pii == ()


def test_another_mask_of_a_source_is_another_table(tmp_path: Path) -> None:
    """A draft is remembered with the masks through which it reads."""
    cache = tmp_path / "cache"
    root = project(tmp_path, {"sql/marts/x.sql": "SELECT email FROM crm.customers\n"})
    prints = []
    for masks in ("", ", mask: {email: domain}", ", mask: {email: {truncate: 1}}"):
        write_files(root, {"config.yaml": config(masks)})
        prints.append(table(load_project(root, cache_dir=cache)).fingerprint)
    assert len(set(prints)) == 3


BAD_SOURCES = {
    ", mask: {mail: domain}": "`mail`",
    ", pii: [mail]": "`mail`",
    ", mask: {email: {}}": "no method",
    ", mask: {born: {age_decade: day}}": "`day`",
}


@pytest.mark.parametrize("masks", BAD_SOURCES)
def test_a_source_that_cannot_be_masked_so(masks: str, tmp_path: Path) -> None:
    (fault,) = faults(project(tmp_path, {"config.yaml": config(masks)}))
    assert fault.startswith("config.yaml:")
    assert BAD_SOURCES[masks] in fault


def test_a_masked_source_names_its_columns(tmp_path: Path) -> None:
    bare = CONFIG.replace(SOURCES, "sources:\n  crm.customers: {mask: {name: domain}}")
    (fault,) = faults(project(tmp_path, {"config.yaml": bare}))
    assert "whose columns are not declared" in fault


def test_a_view_has_no_last_day(tmp_path: Path) -> None:
    files = {
        "config.yaml": config(", mask: {born: age_decade}"),
        "sql/marts/x.sql": "/*---\nkind: view\n---*/\nSELECT born FROM crm.customers\n",
    }
    (fault,) = faults(project(tmp_path, files))
    assert fault.startswith(
        "sql/marts/x.sql:4:18 bad-mask: an age by the window's last day, in a view"
    )


# --- the way --------------------------------------------------------------------------------------


def test_a_load_shows_the_way_step_by_step(tmp_path: Path) -> None:
    files = {
        "config.yaml": PII,
        "sql/staging/people.sql": "SELECT id,\n       email AS contact\nFROM crm.customers\n",
        "sql/staging/copies.sql": "SELECT * FROM staging.people\n",
        "sql/marts/x.sql": "/*---\nload: {}\n---*/\n"
        "SELECT lower(contact) AS who\nFROM staging.copies\n",
    }
    (fault,) = faults(project(tmp_path, files))
    assert fault == (
        "sql/marts/x.sql:2:1 pii-load: a load into the mart `main` with the column `who`, "
        "which holds personal data: crm.customers.email -> "
        "staging.people.contact (sql/staging/people.sql:2:8) -> "
        "staging.copies.contact (sql/staging/copies.sql:1:15) -> "
        "marts.x.who (sql/marts/x.sql:4:14)"
    )


def test_an_export_shows_the_way(tmp_path: Path) -> None:
    files = {
        "config.yaml": PII,
        "sql/marts/x.sql": "SELECT id, name AS who, email FROM crm.customers\n",
    }
    found = table(load_project(project(tmp_path, files)))
    place = Place("workflows/daily.yaml", 7, 3)

    def no_place(step: PersonalStep) -> Place:
        return Place(step.file, step.offset)

    (fault,) = export_faults(found, ("id", "who"), place=place, place_of_step=no_place)
    assert (fault.place, fault.code) == (place, "pii-export")
    assert "crm.customers.name -> marts.x.who (sql/marts/x.sql:11)" in fault.found
    columns = [
        f.found.split("`")[1] for f in export_faults(found, (), place=place, place_of_step=no_place)
    ]
    assert columns == ["email", "who"]


def test_places_are_found_again_after_a_cached_load(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    files = {
        "config.yaml": PII,
        "sql/staging/people.sql": "SELECT id,\n       email AS contact\nFROM crm.customers\n",
    }
    root = project(tmp_path, files)
    load_project(root, cache_dir=cache)
    write_files(root, {"config.yaml": config(", pii: [email]", "pii_databases: [marts]\n")})
    with pytest.raises(ProjectError) as refused:
        load_project(root, cache_dir=cache)
    (fault,) = refused.value.faults
    assert str(fault.place) == "sql/staging/people.sql:2:8"


def test_what_was_followed_is_remembered_with_what_it_depends_on(tmp_path: Path) -> None:
    """A cached way is taken where nothing changed, and anew where a tag or an input did."""
    cache = tmp_path / "cache"
    files = {
        "config.yaml": PII,
        "sql/staging/people.sql": "SELECT id, email AS contact FROM crm.customers\n",
        "sql/marts/x.sql": "SELECT * FROM staging.people\n",
    }
    root = project(tmp_path, files)

    def held() -> list[str]:
        found = load_project(root, cache_dir=cache)
        return [f"{one.tagged} {one.column}" for one in table(found).pii]

    assert held() == ["crm.customers.email contact"]
    write_files(root, {"config.yaml": config(", pii: [name]")})
    assert held() == []
    write_files(root, {"config.yaml": PII})
    assert held() == ["crm.customers.email contact"]
    write_files(root, {"sql/staging/people.sql": "SELECT name, id FROM crm.customers\n"})
    assert held() == ["crm.customers.name name"]


def test_an_unchanged_query_is_not_followed_again(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    files = {"config.yaml": PII, "sql/marts/x.sql": "SELECT email FROM crm.customers\n"}
    root = project(tmp_path, files)
    assert table(load_project(root, cache_dir=cache)).pii != ()
    path = cache / "drafts.pickle"
    stored = pickle.loads(path.read_bytes())  # noqa: S301 - what was written just now
    values = {key: pickle.loads(data) for key, data in stored.items()}  # noqa: S301 - likewise
    assert sum(isinstance(value, Lineage) for value in values.values()) == 1
    falsified = {k: Lineage() if isinstance(v, Lineage) else v for k, v in values.items()}
    path.write_bytes(pickle.dumps({k: pickle.dumps(v) for k, v in falsified.items()}))
    write_files(root, {"sql/marts/y.sql": "SELECT shop FROM staging.events\n"})
    assert table(load_project(root, cache_dir=cache)).pii == ()


def test_only_the_first_table_outside_is_named(tmp_path: Path) -> None:
    files = {
        "config.yaml": config(", pii: [email]", "pii_databases: [staging]\n"),
        "sql/staging/people.sql": "SELECT email FROM crm.customers\n",
        "sql/marts/x.sql": "SELECT email FROM staging.people\n",
        "sql/marts/y.sql": "SELECT email FROM marts.x\n",
    }
    (fault,) = faults(project(tmp_path, files))
    assert fault.startswith("sql/marts/x.sql:1:8 pii-database: in the database marts")


def test_tags_of_a_table_begin_a_way(tmp_path: Path) -> None:
    ddl = (BASE / "sql/raw/events.sql").read_text("utf-8")
    files = {
        "config.yaml": CONFIG + "pii_databases: [raw, staging]\n",
        "sql/raw/events.sql": ddl.replace("kind: ddl", "kind: ddl\npii: [shop]"),
    }
    found = faults(project(tmp_path, files))
    assert [fault.split(":")[0] for fault in found] == ["sql/marts/daily.sql"] * 2
    assert all("raw.events.shop -> staging.events.shop" in fault for fault in found)


def test_a_tag_of_a_column_that_is_not_there(tmp_path: Path) -> None:
    sql = "/*---\npii: [nam]\n---*/\nSELECT name FROM crm.customers\n"
    (fault,) = faults(project(tmp_path, {"sql/marts/x.sql": sql}))
    assert fault.startswith("sql/marts/x.sql:2:7 header-column: the column `nam`")


def test_a_mask_ends_what_a_tag_says(tmp_path: Path) -> None:
    sql = "/*---\npii: [name]\nmask: {name: domain}\nload: {}\n---*/\nSELECT name FROM crm.customers\n"
    assert faults(project(tmp_path, {"sql/marts/x.sql": sql})) == []


def test_a_table_that_reads_itself_is_followed_to_the_end(tmp_path: Path) -> None:
    sql = (
        f"/*---\n{DAY}\nlookback: {{marts.x: 1}}\n---*/\n"
        "SELECT c.email AS a, x.a AS b, x.b AS c, c.dt FROM crm.customers c\n"
        "LEFT JOIN marts.x ON x.dt >= '{{ start.add(days=-1) }}' AND x.dt < '{{ start }}'\n"
        "WHERE c.dt BETWEEN '{{ start }}' AND '{{ end }}'\n"
    )
    root = project(tmp_path, {"config.yaml": PII, "sql/marts/x.sql": sql})
    assert faults(root) == []
    assert [column.column for column in table(load_project(root)).pii] == ["a", "b", "c"]


def test_what_cannot_be_followed_is_a_fault(tmp_path: Path) -> None:
    files = {
        "config.yaml": CONFIG.replace(SOURCES, "sources:\n  crm.customers: {pii: [name]}"),
        "sql/marts/x.sql": "SELECT 1 AS a\nUNION ALL\nSELECT * FROM crm.customers\n",
    }
    (fault,) = faults(project(tmp_path, files))
    assert fault.startswith("sql/marts/x.sql:")
    assert "pii-lost: personal data that cannot be followed: crm.customers.name" in fault


def test_a_table_function_over_a_tagged_table(tmp_path: Path) -> None:
    sql = "SELECT a FROM TABLE(f(input => TABLE(crm.customers))) AS t(a)\n"
    with pytest.raises(ProjectError) as refused:
        load_project(project(tmp_path, {"config.yaml": PII, "sql/marts/x.sql": sql}))
    (fault,) = refused.value.faults
    assert (str(fault.place), fault.code) == ("sql/marts/x.sql:1:38", "pii-lost")
    assert "crm.customers.name" in fault.found
    assert "a table function over it" in fault.found


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    (fault,) = faults(project(tmp_path, {"config.yaml": CONFIG + "pii_databases: [stagin]\n"}))
    assert "pii-database-unknown: the database `stagin`" in fault


# --- steps that ask -------------------------------------------------------------------------------


def asking(sql: str) -> str:
    return f"steps:\n  q:\n    type: sql\n    sql: |\n      {sql}\n"


def test_the_value_of_a_step_shows_the_way(tmp_path: Path) -> None:
    files = {
        "config.yaml": PII,
        "sql/staging/people.sql": "SELECT id,\n       email AS contact\nFROM crm.customers\n",
        "workflows/ask.yaml": asking(
            "SELECT id,\n        max(contact) AS who\n      FROM staging.people GROUP BY id"
        ),
    }
    (fault,) = faults(project(tmp_path, files))
    assert fault == (
        "workflows/ask.yaml:6:13 pii-value: the value `who` of the step q, which holds personal "
        "data: crm.customers.email -> staging.people.contact (sql/staging/people.sql:2:8) -> "
        "q.who (workflows/ask.yaml:6:13)"
    )


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT email FROM crm.customers", ["5:14 pii-value"]),
        (
            "SELECT c.name || c.email AS a FROM crm.customers c",
            ["5:14 pii-value", "5:24 pii-value"],
        ),
        ("SELECT * FROM crm.customers", ["5:21 pii-value"] * 3),
        ("SELECT a FROM (SELECT born AS a FROM crm.customers)", ["5:14 pii-value"]),
        ("SELECT id, count(email) AS n FROM crm.customers GROUP BY id", []),
        ("SELECT id FROM crm.customers WHERE email = 'a@b.c'", []),
        ("SELECT {{ mask.domain('email') }} AS d FROM crm.customers", []),
        ("SELECT {{ mask.custom('length(name)') }} AS d FROM crm.customers", []),
        ("SELECT {{ mask.age_decade('born', end) }} AS d FROM crm.customers", []),
        ("SELECT shop FROM staging.events", []),
        (
            "SELECT hmac_sha256(to_utf8(name), to_utf8('k')) AS h FROM crm.customers",
            ["5:34 mask-key"],
        ),
    ],
)
def test_what_a_step_may_ask_of_personal_data(sql: str, found: list[str], tmp_path: Path) -> None:
    root = project(tmp_path, {"config.yaml": PII, "workflows/ask.yaml": asking(sql)})
    codes = [fault.split(": ")[0].removeprefix("workflows/ask.yaml:") for fault in faults(root)]
    assert codes == found


def test_a_step_whose_columns_cannot_be_followed(tmp_path: Path) -> None:
    files = {
        "config.yaml": CONFIG.replace(SOURCES, "sources:\n  crm.customers: {pii: [name]}"),
        "workflows/ask.yaml": asking("SELECT 1 AS a UNION ALL\n      SELECT * FROM crm.customers"),
    }
    (fault,) = faults(project(tmp_path, files))
    assert fault.startswith("workflows/ask.yaml:")
    assert "pii-lost: personal data that cannot be followed: crm.customers.name" in fault


def test_a_step_reads_a_masked_source_through_its_masks(tmp_path: Path) -> None:
    masked = config(", pii: [name, email], mask: {name: drop, email: domain}")
    sql = "SELECT email FROM crm.customers"
    root = project(tmp_path, {"config.yaml": masked, "workflows/ask.yaml": asking(sql)})
    (named,) = [one for one in load_project(root).workflows if one.name == "ask"]
    asked = "".join(map(str, named.queries["q"].sql.parts))
    assert '/*mask:domain*/lower(regexp_extract(CAST("email" AS varchar)' in asked
    assert '"name"' not in asked
    assert faults(root) == []


def test_a_step_that_reads_what_a_mask_drops_is_refused(tmp_path: Path) -> None:
    masked = config(", pii: [name], mask: {name: drop}")
    sql = "SELECT name FROM crm.customers"
    root = project(tmp_path, {"config.yaml": masked, "workflows/ask.yaml": asking(sql)})
    (fault,) = faults(root)
    assert fault.startswith("workflows/ask.yaml:5:14 unknown-column: the unknown column name")


# --- steps that run SQL in Redshift ---------------------------------------------------------------

REDSHIFT = "type: redshift\n    workgroup: wg-1\n    database: dev"
ROLE = "arn:aws:iam::123456789012:role/r"
SCHEMA = f"external_schema: {{name: lake, database: staging, role: '{ROLE}'}}"
PEOPLE = {
    "config.yaml": PII,
    "sql/staging/people.sql": "SELECT id,\n       email AS contact\nFROM crm.customers\n",
}


def running(*statements: str, schema: str = SCHEMA) -> str:
    listed = "".join(f"      - {statement}\n" for statement in statements)
    return f"steps:\n  r:\n    {REDSHIFT}\n    {schema}\n    sql:\n{listed}"


def test_a_statement_in_redshift_shows_the_way(tmp_path: Path) -> None:
    sql = "INSERT INTO d SELECT id, contact AS who FROM lake.people WHERE 'a' < :end"
    files = {"workflows/out.yaml": running("DELETE FROM d WHERE dt = :start", sql)}
    (fault,) = faults(project(tmp_path, PEOPLE | files))
    assert fault == (
        "workflows/out.yaml:9:34 pii-export: SQL in Redshift with the column `who`, which holds "
        "personal data: crm.customers.email -> staging.people.contact "
        "(sql/staging/people.sql:2:8) -> r.who (workflows/out.yaml:9:34)"
    )


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("INSERT INTO d SELECT id FROM lake.people", ""),
        ("INSERT INTO d SELECT * FROM lake.people", "8:37 pii-export"),
        ("INSERT INTO d SELECT contact FROM other.people", ""),
        ("INSERT INTO d SELECT contact FROM awsdatacatalog.staging.people", "8:30 pii-export"),
        ("CALL copy_all('lake.people')", "8:24 pii-lost"),
    ],
)
def test_what_redshift_may_read(statement: str, code: str, tmp_path: Path) -> None:
    root = project(tmp_path, PEOPLE | {"workflows/out.yaml": running(statement)})
    found = [one.split(": ")[0].removeprefix("workflows/out.yaml:") for one in faults(root)]
    assert found == ([code] if code else [])


def test_a_schema_that_another_step_makes(tmp_path: Path) -> None:
    made = f"CREATE EXTERNAL SCHEMA lk FROM DATA CATALOG DATABASE 'staging' IAM_ROLE '{ROLE}'"
    taken = "INSERT INTO d SELECT contact FROM lk.people"
    files = {
        "workflows/make.yaml": running(made, schema="transaction: false"),
        "workflows/out.yaml": running(taken, schema="timeout: 1h"),
        "workflows/elsewhere.yaml": running(taken, schema="timeout: 1h").replace("wg-1", "wg-2"),
    }
    (fault,) = faults(project(tmp_path, PEOPLE | files))
    assert fault.startswith("workflows/out.yaml:8:30 pii-export")


def test_what_shows_files_is_not_to_be_masked_where_it_stands(tmp_path: Path) -> None:
    ddl = (
        "/*---\nkind: ddl\npii: [email]\n---*/\n"
        "CREATE EXTERNAL TABLE raw.people (email string) LOCATION 's3://raw/people/'\n"
    )
    more = config("", "pii_databases: [staging]\n")
    root = project(tmp_path, {"config.yaml": more, "sql/raw/people.sql": ddl})
    (fault,) = inspect_project(root).faults
    advice = "add raw to `pii_databases`, or move sql/raw/people.sql to one of them"
    assert (fault.code, fault.advice) == ("pii-database", advice)
