"""`runner machine validate`: what AWS would refuse in files of Amazon States Language."""

from __future__ import annotations

import json
import sys

import click

from runner.cli.options import json_option


@click.command(name="validate", short_help="Find what AWS would refuse in a definition.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--express", is_flag=True, help="Check as the definition of an EXPRESS machine.")
@json_option
def command(files: tuple[str, ...], *, express: bool, as_json: bool) -> int:
    """Find everything that AWS would refuse when a state machine is created from FILE.

    FILE is a definition in JSON, in YAML if its name ends in .yaml or .yml, a
    pattern such as 'machines/*.asl.json', or - for standard input. Each fault
    has AWS's message, and file, line and column. --json prints what
    ValidateStateMachineDefinition answers: for one file the answer itself, for
    several a list of answers with the file of each.

    Example: runner machine validate definition.asl.json
    """
    from runner.app.machine_validate import (  # noqa: PLC0415 - heavy only when it is needed
        STANDARD_INPUT,
        validate_files,
    )

    given = sys.stdin.read() if STANDARD_INPUT in files else ""
    found = validate_files(files, express=express, standard_input=given)
    wrong = [one for one in found if one.faults]
    if as_json:
        answers = [{"file": one.file, **one.diagnosis} for one in found]
        click.echo(json.dumps(found[0].diagnosis if len(found) == 1 else answers, indent=1))
    else:
        for one in found:
            click.echo(one.text() if one.faults else f"{one.file}: no faults")
    return 1 if wrong else 0
