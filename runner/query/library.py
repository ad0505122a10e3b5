"""Macros: every macro of sql/macros/*.sql is known by its name in every SQL file.

In: the macro files.  Out: a `MacroLibrary` that rendering uses, and faults (syntax, duplicates).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jinja2

from runner.errors import Fault
from runner.query.jinja_faults import private_characters, syntax_fault
from runner.query.template import compile_template, exported_names, make_environment, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.query.source import SourceFile
    from runner.query.template import CodeCache, Token

RESERVED = ("vars", "start", "end", "ref")


@dataclass(frozen=True, slots=True)
class MacroFile:
    """A macro file, compiled."""

    source: SourceFile
    template: jinja2.Template
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MacroLibrary:
    """The compiled macro files, and the Jinja environment that every SQL file shares with them."""

    environment: jinja2.Environment
    files: tuple[MacroFile, ...] = ()
    cache: CodeCache | None = field(default=None, compare=False)

    def names(self) -> tuple[str, ...]:
        """Give the names of all macros."""
        return tuple(name for file in self.files for name in file.names)

    def sources(self) -> dict[str, SourceFile]:
        """Give the macro files by path."""
        return {file.source.path: file.source for file in self.files}

    def define(self, namespace: dict[str, Any]) -> None:
        """Add every macro to a namespace; they see what it holds when they are called."""
        define_macros(((file.template, file.names) for file in self.files), namespace)


def define_macros(
    templates: Iterable[tuple[jinja2.Template, tuple[str, ...]]], namespace: dict[str, Any]
) -> None:
    """Run macro files and put their macros into the namespace."""
    for template, names in templates:
        exported = exported_names(template, namespace)
        namespace.update({name: exported[name] for name in names})


def load_macros(
    files: Sequence[SourceFile] = (), *, cache: CodeCache | None = None
) -> tuple[MacroLibrary, tuple[Fault, ...]]:
    """Compile the macro files; a file with a fault is left out of the library."""
    environment = make_environment()
    faults: list[Fault] = []
    loaded: list[MacroFile] = []
    seen: dict[str, str] = {}
    for source in sorted(files, key=lambda file: file.path):
        macro_file = _load(environment, source, cache, faults)
        if macro_file is not None:
            loaded.append(_without_duplicates(environment, macro_file, seen, faults))
    return MacroLibrary(environment, tuple(loaded), cache), tuple(faults)


def _load(
    environment: jinja2.Environment,
    source: SourceFile,
    cache: CodeCache | None,
    faults: list[Fault],
) -> MacroFile | None:
    private = private_characters(source)
    if private is not None:
        faults.append(private)
        return None
    try:
        template = compile_template(environment, source, cache=cache)
    except jinja2.TemplateSyntaxError as error:
        faults.append(syntax_fault(environment, source, error))
        return None
    found = list(tokens(environment, source.padded()))
    stray = _stray_text(found)
    if stray is not None:
        faults.append(_stray_fault(source, *stray))
    names = dict.fromkeys(name for _, name in _definitions(found) if not name.startswith("_"))
    return MacroFile(source, template, tuple(names))


def _definitions(found: list[Token]) -> Iterator[tuple[int, str]]:
    words = [token for token in found if token[1] != "whitespace"]
    for begin, tag, name in zip(words, words[1:], words[2:], strict=False):
        if begin[1] == "block_begin" and tag[2] == "macro" and name[1] == "name":
            yield name[0], name[2]


def _stray_text(found: list[Token]) -> tuple[int, str] | None:
    """Find what a macro file prints outside its macros: nobody would ever see it."""
    depth = 0
    words = [token for token in found if token[1] != "whitespace"]
    openers = {"macro": 1, "call": 1, "filter": 1, "endmacro": -1, "endcall": -1, "endfilter": -1}
    for index, (offset, kind, text) in enumerate(words):
        if kind == "block_begin":
            depth += openers.get(words[index + 1][2], 0)
        elif depth == 0 and kind in ("data", "variable_begin"):
            lines = [line for line in text.split("\n") if line.strip()]
            shown = [line for line in lines if not line.strip().startswith("--")]
            if shown:
                return offset + text.index(shown[0]), shown[0].strip()
    return None


def _stray_fault(source: SourceFile, offset: int, text: str) -> Fault:
    return Fault(
        source.place(offset),
        "macro-file-text",
        f"text outside a macro: {text[:60]!r}",
        "{% macro name(...) %} ... {% endmacro %}, {% set %}, and comments",
        "move the text into a macro, or remove it",
    )


def _without_duplicates(
    environment: jinja2.Environment,
    file: MacroFile,
    seen: dict[str, str],
    faults: list[Fault],
) -> MacroFile:
    kept: list[str] = []
    for offset, name in _definitions(list(tokens(environment, file.source.padded()))):
        place = file.source.place(offset)
        if name in RESERVED:
            faults.append(
                Fault(
                    place,
                    "macro-reserved",
                    f"a macro named {name}",
                    f"a name other than {', '.join(RESERVED)}, which mean something else",
                    "rename the macro",
                )
            )
        elif name in seen:
            faults.append(
                Fault(
                    place,
                    "macro-duplicate",
                    f"a second macro named {name}",
                    f"one macro of that name; the first stands at {seen[name]}",
                    "rename one of them",
                )
            )
        else:
            seen[name] = str(place)
            if not name.startswith("_"):
                kept.append(name)
    return MacroFile(file.source, file.template, tuple(kept))
