"""Make the pages of docs/reference/ from the code: models, commands, fault codes.

In: the pydantic models, the click commands, the string literals of runner/, and the hand-written
meanings in docs/reference/faults.yaml.  Out: Markdown files.  tests/test_docs.py holds them fresh.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import BaseModel

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
MADE = "<!-- Made by scripts/make_reference from the code; edit that instead. -->\n"
PAGES: dict[str, tuple[str, str]] = {
    "config": (
        "runner.model.config:Config",
        "`config.yaml` says what the project is called, what its SQL may use, and where it runs.",
    ),
    "function": (
        "runner.model.function:FunctionSettings",
        "`lambdas/<name>/function.yaml` says how a function runs. It and its keys are optional.",
    ),
    "header": (
        "runner.model.header:Header",
        "The YAML header of a SQL file, between `/*---` and `---*/`. Every key is optional.",
    ),
    "workflow": (
        "runner.model.workflow:Workflow",
        "`workflows/<name>.yaml` becomes one state machine.",
    ),
}
FAULTS_LEAD = (
    "A fault says where it stands (`file:line:column`), its code, what was found, what was "
    "expected, and what to do. All faults of a project are reported at once.\n"
)
# Hyphenated words of the code that are no fault codes.
NOT_CODES = frozenset(
    {
        "athena-runner",
        "aws-sdk",
        "cluster-snapshot",
        "day-of-month",
        "day-of-week",
        "detail-type",
        "error-output-type",
        "max-ref-age-ms",
        "max-snapshot-age-ms",
        "processing-failed",
        "random-string",
        "min-snapshots-to-keep",
        "my-platform",
        "oidc-role",
        "redshift-data",
        "snapshot-id",
    }
)
HYPHENATED = re.compile(r"[a-z]+(-[a-z]+)+\Z")


# --- models -------------------------------------------------------------------------------------


def model_page(name: str) -> str:
    """Write the page of one kind of file."""
    address, lead = PAGES[name]
    schema = load_model(address).model_json_schema(by_alias=True)
    parts = [f"# {name.capitalize()} keys\n", MADE, lead + "\n", table_of(schema, schema)]
    for title, section in sections(schema):
        parts += [f"## {heading(title, section)}\n", plain(section.get("description", "")) + "\n"]
        parts.append(table_of(section, schema) if "properties" in section else values_of(section))
    return "\n".join(parts)


def load_model(address: str) -> type[BaseModel]:
    """Import a model named `module:Class`."""
    module, _, attribute = address.partition(":")
    model: type[BaseModel] = getattr(import_module(module), attribute)
    return model


def sections(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the nested models by title, in the schema's order."""
    yield from schema.get("$defs", {}).items()


def heading(title: str, section: Mapping[str, Any]) -> str:
    """Name a section; a step by its type, as users write it."""
    kind = section.get("properties", {}).get("type", {}).get("const")
    return f"{title}: `type: {kind}`" if kind else title


def anchor(title: str, section: Mapping[str, Any]) -> str:
    """Give the anchor that Markdown viewers make of a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading(title, section).lower()).replace(" ", "-")


def table_of(model: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Write a model's keys as a table; `schema` holds the models that it refers to."""
    required = model.get("required", ())
    lines = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, field in model["properties"].items():
        default = "required" if key in required else shown_default(field)
        cells = (f"`{key}`", kind_of(field), default, meaning_of(field, schema))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def meaning_of(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Give a key's description; pydantic leaves out one that its model's docstring repeats."""
    referred = schema.get("$defs", {}).get(field.get("$ref", "").rsplit("/", 1)[-1], {})
    return plain(field.get("description") or referred.get("description", ""))


def values_of(schema: Mapping[str, Any]) -> str:
    """Write the values of an enumeration."""
    return "".join(f"- `{value}`\n" for value in schema["enum"])


def shown_default(field: Mapping[str, Any]) -> str:
    """Write a default as YAML would have it; nothing where absent means absent."""
    default = field.get("default")
    return "" if default in (None, [], {}, "") else f"`{json.dumps(default, ensure_ascii=False)}`"


def kind_of(field: Mapping[str, Any]) -> str:
    """Write a field's type for people."""
    if "$ref" in field:
        return f"[{field['$ref'].rsplit('/', 1)[-1]}]"
    if "anyOf" in field or "oneOf" in field:
        kinds = [kind_of(each) for each in field.get("anyOf", field.get("oneOf", []))]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null"))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " ".join(f"`{value}`" for value in field["enum"])
    return simple_kind(field)


def simple_kind(field: Mapping[str, Any]) -> str:
    """Write a type without alternatives."""
    kind = field.get("type")
    if kind == "array":
        return list_kind(field)
    if kind == "object":
        values = field.get("additionalProperties")
        return f"map of name: {kind_of(values)}" if isinstance(values, dict) else "map"
    if kind in {"integer", "number"}:
        return ("whole number" if kind == "integer" else "number") + bounds(field)
    if kind == "string" and "pattern" in field:
        return f"text `{field['pattern']}`"
    names = {"string": "text", "boolean": "true or false", None: "any value"}
    return names.get(kind, str(kind))


def list_kind(field: Mapping[str, Any]) -> str:
    """Write the type of a list, or of one with a fixed number of places."""
    if "prefixItems" in field:
        return "[" + ", ".join(kind_of(each) for each in field["prefixItems"]) + "]"
    return f"list of {kind_of(field.get('items', {}))}"


def bounds(field: Mapping[str, Any]) -> str:
    """Write a number's least and greatest value."""
    least, most = field.get("minimum"), field.get("maximum")
    if least is not None and most is not None:
        return f" {least} to {most}"
    return f" from {least}" if least is not None else f" to {most}" if most is not None else ""


def plain(text: str) -> str:
    """Join a description's lines; call the rules what the docs call them."""
    return re.sub(r"SEMANTICS (\d+)", r"rule \1", " ".join(text.split()))


# --- commands -----------------------------------------------------------------------------------


def commands() -> list[click.Command]:
    """Give the commands of the command line that exist, sorted by name."""
    if find_spec("runner.cli.root") is None:
        return []
    root: click.Group = import_module("runner.cli.root").root
    context = click.Context(root, info_name="runner")
    found: list[click.Command] = []
    for name in root.list_commands(context):
        command = existing_command(root, context, name)
        if command is not None:
            found.append(command)
    return found


def existing_command(root: click.Group, context: click.Context, name: str) -> click.Command | None:
    """Import a command; None while its module is not written."""
    try:
        return root.get_command(context, name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("runner.cli.commands"):
            return None
        raise


def commands_page() -> str:
    """Write what `--help` says of every command."""
    parts = ["# Commands\n", MADE, "Every command takes `--help`.\n"]
    for command in commands():
        parts += [f"## runner {command.name}\n", "```text", *help_lines(command, "runner"), "```\n"]
        for sub in subcommands(command):
            words = f"runner {command.name}"
            parts += [f"### {words} {sub.name}\n", "```text", *help_lines(sub, words), "```\n"]
    return "\n".join(parts)


def subcommands(command: click.Command) -> list[click.Command]:
    """Give a group's commands, also of a group that imports them when they are asked for."""
    if not isinstance(command, click.Group):
        return []
    context = click.Context(command)
    names = list(command.commands) or command.list_commands(context)
    found = (command.get_command(context, name) for name in names)
    return [sub for sub in found if sub is not None]


def help_lines(command: click.Command, parent: str) -> list[str]:
    """Write the help text as a terminal of 100 columns shows it."""
    context = click.Context(
        command,
        info_name=f"{parent} {command.name}",
        terminal_width=100,
        max_content_width=100,
        help_option_names=["-h", "--help"],  # as the root says; click remembers the first it saw
    )
    return [line.rstrip() for line in command.get_help(context).splitlines()]


# --- fault codes --------------------------------------------------------------------------------


def codes_in(source: str) -> set[str]:
    """Give the fault codes that a module uses: hyphenated words, and what Fault(...) is given."""
    tree = ast.parse(source)
    if not any(makes_faults(node) for node in ast.walk(tree)):
        return set()
    words = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and HYPHENATED.match(node.value)
    }
    given = {code for node in ast.walk(tree) for code in given_code(node)}
    return (words | given) - NOT_CODES


def makes_faults(node: ast.AST) -> bool:
    """Tell whether a node has to do with faults, by its name."""
    name = getattr(node, "id", None) or getattr(node, "attr", None)
    return isinstance(name, str) and re.search("fault|refus", name, re.IGNORECASE) is not None


def given_code(node: ast.AST) -> Iterator[str]:
    """Give the literal that a call of Fault has as its code."""
    match node:
        case ast.Call(func=ast.Name(id="Fault"), args=[_, ast.Constant(value=str(code)), *_]):
            yield code
        case ast.Call(func=ast.Name(id="Fault"), keywords=keywords):
            for keyword in keywords:
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)


def codes_used() -> set[str]:
    """Give every fault code of the package; the wire's words are AWS's, for its clients."""
    paths = (
        path
        for path in (ROOT / "runner").rglob("*.py")
        if not {"templates", "wire"}.intersection(path.relative_to(ROOT).parts)
    )
    return {code for path in paths for code in codes_in(path.read_text("utf-8"))}


def meanings() -> dict[str, str]:
    """Read the hand-written meaning of each code."""
    written: dict[str, str] = yaml.safe_load((REFERENCE / "faults.yaml").read_text("utf-8"))
    return written


def reasons() -> dict[str, str]:
    """Give what the checks say of their own codes: why it matters, and whether it is a warning."""
    found: dict[str, str] = {}
    for rule in getattr(import_module("runner.checks"), "RULES", ()):
        text = plain(rule.explanation)
        found[rule.code] = f"{text} (A warning.)" if rule.severity == "warning" else text
    return found


def run_errors() -> list[tuple[str, str]]:
    """Give the keeper's error names and what they mean."""
    tree = ast.parse((ROOT / "runner/keeper/faults.py").read_text("utf-8"))
    return [
        (node.name, plain(ast.get_docstring(node) or ""))
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name != "KeeperError"
    ]


def faults_page() -> str:
    """Write the faults of files and the errors of runs."""
    why = reasons()
    lines = [
        "# Faults\n",
        MADE,
        FAULTS_LEAD,
        "| code | meaning | why |",
        "|---|---|---|",
        *(
            f"| `{code}` | {text} | {why.get(code, '')} |"
            for code, text in sorted(meanings().items())
        ),
        "\n## Errors of a run\n",
        "What a state of a run can fail with, beside the errors of the services:\n",
        "| error | meaning |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in run_errors()),
    ]
    return "\n".join(lines) + "\n"


# --- the whole ----------------------------------------------------------------------------------


def pages() -> dict[str, str]:
    """Give every page by its file name."""
    makers: dict[str, Callable[[], str]] = {
        "commands.md": commands_page,
        "faults.md": faults_page,
    }
    made = {f"{name}.md": with_links(model_page(name), name) for name in PAGES}
    return made | {file: make() for file, make in makers.items()}


def with_links(page: str, name: str) -> str:
    """Let `[Retry]` in a table lead to the section of that name."""
    schema = load_model(PAGES[name][0]).model_json_schema(by_alias=True)
    links = [f"[{title}]: #{anchor(title, section)}" for title, section in sections(schema)]
    return page + "\n" + "\n".join(links) + "\n" if links else page


def main(words: list[str]) -> int:
    """Write the pages; with --check, only say which are stale."""
    stale = 0
    for file, text in pages().items():
        path = REFERENCE / file
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale += 1
        print(f"{'stale' if '--check' in words else 'written'}: {path.relative_to(ROOT)}")
        if "--check" not in words:
            path.write_text(text, "utf-8")
    return 1 if stale and "--check" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
