"""`runner spectrum`: statements by which Redshift reads tables of the lake."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - click's signature

import click

from runner.cli.options import find_root, json_option, project_options, read_variables


@click.command(name="spectrum", short_help="Write Redshift's DDL of external tables.")
@click.argument("tables", nargs=-1)
@click.option("--schema", default="lake", show_default=True, help="External schema in Redshift.")
@click.option("--role", default="", help="ARN of its role: the schema is made first.")
@project_options
@json_option
def command(  # noqa: PLR0917 - click hands over every option
    tables: tuple[str, ...],
    schema: str,
    role: str,
    folder: Path | None,
    environment: str,
    variables: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Print statements that make TABLES external tables of Redshift, published partitions too.

    Columns and places come from the environment's catalogue. A schema over the Glue Data Catalog
    needs none of this: `external_schema` of a redshift step makes it.

    Example: runner spectrum "marts.*" --schema lake --env prod
    """
    from runner.app.spectrum import SpectrumRequest, spectrum  # noqa: PLC0415 - heavy when needed

    found = spectrum(
        SpectrumRequest(
            find_root(folder),
            schema,
            tables or ("*.*",),
            role,
            environment,
            read_variables(variables),
        )
    )
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for statement in found:
        click.echo(f"{statement};\n")
