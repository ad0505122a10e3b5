"""Jinja's exceptions as faults, with line and column in the file that the user edits.

Jinja gives a line; the column is found by looking for the name on that line.  The innermost frame
of a template is the place of the fault; the outer ones are the calls that led there.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.utils import missing

from runner.errors import Fault, Place
from runner.query.mask_macros import Masks
from runner.query.namespace import Variables, variable_names
from runner.query.source import line_at, line_starts
from runner.query.template import UnknownNameError, tokens
from runner.query.window_value import TemplateFaultError, WindowValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from runner.query.source import SourceFile

RUNTIME_ERRORS = (
    TemplateFaultError,
    jinja2.TemplateError,
    SecurityError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)
"""What a template can raise while it runs."""

_PRIVATE = re.compile("[\U000f0000-\U0010ffff]")
_BLOCKS = frozenset({"for", "if", "macro", "call", "filter", "set", "raw", "with", "block"})
_QUOTED = re.compile(r"'([^']+)'")


def private_characters(source: SourceFile) -> Fault | None:
    """Refuse the characters that rendering uses for its own purposes (planes 15 and 16)."""
    if source.text.isascii():
        return None
    match = _PRIVATE.search(source.text, source.body_offset)
    if match is None:
        return None
    return Fault(
        source.place(match.start()),
        "private-character",
        f"the private-use character U+{ord(match[0]):X}",
        "characters that Unicode assigns",
        "remove it, or write it in SQL as chr(...)",
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known words look like the one that was found."""
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not names:
        return "there is none"
    more = f", ... ({len(names)} in all)" if len(names) > 8 else ""  # noqa: PLR2004 - readable
    return f"known: {', '.join(names[:8])}{more}"


# --- syntax -------------------------------------------------------------------------------------


def syntax_fault(
    environment: jinja2.Environment, source: SourceFile, error: jinja2.TemplateSyntaxError
) -> Fault:
    """Place a syntax error; an unclosed block is reported where it was opened."""
    message = error.message or "wrong syntax"
    text = source.padded()
    if message.startswith(("Unexpected end of template", "Missing end of")):
        opened = _unclosed(environment, text)
        if opened is not None:
            return _unclosed_fault(source, *opened)
    unknown = re.match(r"Encountered unknown tag '(\w+)'", message)
    if unknown is not None:
        return _unknown_tag(source, error.lineno, unknown[1])
    return Fault(
        _place_on_line(source, error.lineno, _QUOTED.findall(message)[::-1]),
        "jinja-syntax",
        message.rstrip("."),
        "Jinja: {{ value }}, {% for x in ... %} ... {% endfor %}, {% if ... %} ... {% endif %}",
        "correct the tag or the expression",
    )


def _unclosed(environment: jinja2.Environment, text: str) -> tuple[int, str] | None:
    """Find the innermost block that is never closed: its offset and its tag."""
    stack: list[tuple[int, str]] = []
    previous: tuple[int, str, str] | None = None
    try:
        for token in tokens(environment, text):
            if token[1] == "whitespace":
                continue
            if previous is not None and previous[1] == "block_begin" and token[1] == "name":
                _follow(stack, previous[0], token[2])
            elif token[1] == "raw_begin":
                stack.append((token[0], "raw"))
            elif token[1] == "raw_end":
                stack.pop()
            previous = token
    except (jinja2.TemplateSyntaxError, ValueError, IndexError):
        pass
    return stack[-1] if stack else None


def _follow(stack: list[tuple[int, str]], offset: int, tag: str) -> None:
    if tag in _BLOCKS:
        stack.append((offset, tag))
    elif tag.startswith("end"):
        while stack and stack.pop()[1] != tag.removeprefix("end"):
            pass


def _unclosed_fault(source: SourceFile, offset: int, tag: str) -> Fault:
    return Fault(
        source.place(offset),
        "jinja-unclosed",
        f"{{% {tag} %}} is never closed",
        f"{{% end{tag} %}} after it",
        f"write {{% end{tag} %}} where the block ends",
    )


def _unknown_tag(source: SourceFile, line: int, tag: str) -> Fault:
    place = _place_on_line(source, line, [tag])
    if tag.startswith("end") and tag.removeprefix("end") in _BLOCKS:
        opener = tag.removeprefix("end")
        return Fault(
            place,
            "jinja-syntax",
            f"{{% {tag} %}} closes nothing that is open here",
            f"a {{% {opener} ... %}} before it, in the same block",
            f"remove the tag, or open the block with {{% {opener} ... %}}",
        )
    return Fault(
        place,
        "jinja-syntax",
        f"the unknown tag {{% {tag} %}}",
        "a tag of Jinja: for, if, elif, else, set, macro, call, filter, raw",
        nearest(tag, ["for", "endfor", "if", "elif", "else", "endif", "set", "macro", "endmacro"]),
    )


def _place_on_line(source: SourceFile, line: int, words: Iterable[str]) -> Place:
    """Find one of the words on the line; else its first tag, else its first character."""
    text = source.padded()
    starts = line_starts(text)
    line = max(1, min(line, len(starts)))
    begin = starts[line - 1]
    end = starts[line] - 1 if line < len(starts) else len(text)
    row = text[begin:end]
    for word in words:
        pattern = rf"\b{re.escape(word)}\b" if word.isidentifier() else re.escape(word)
        match = re.search(pattern, row)
        if match is not None:
            return source.place(begin + match.start())
    tag = re.search(r"\{[{%#]", row) or re.search(r"\S", row)
    return source.place(begin + (tag.start() if tag is not None else 0))


# --- run time -----------------------------------------------------------------------------------


def runtime_fault(
    error: BaseException,
    *,
    environment: jinja2.Environment,
    sources: Mapping[str, SourceFile],
    namespace: Mapping[str, object],
) -> Fault:
    """Place what a template raised while it ran."""
    frames = list(_frames(error.__traceback__))
    code, found, expected, advice, name = _explained(error, namespace)
    if isinstance(error, UnknownNameError) and _lacks_argument(error):
        call = _call_without(error.name, error.__traceback__)
        if call is not None:
            name, depth = call
            found = f"a call of {name}(...) without a value for {error.name}"
            frames = frames[:depth]
    if not frames:
        place = Place(next(iter(sources)), 1, 1)
        return Fault(place, code, found, expected, advice)
    path, line = frames[-1]
    place = _place_of_name(environment, sources[path], line, name)
    calls = [f"{call_path}:{call_line}" for call_path, call_line in frames[:-1]]
    if calls:
        found += f" (called at {' and '.join(dict.fromkeys(reversed(calls)))})"
    return Fault(place, code, found, expected, advice)


def _lacks_argument(error: UnknownNameError) -> bool:
    return (error.hint or "").startswith("parameter")


def _call_without(argument: str, traceback: TracebackType | None) -> tuple[str, int] | None:
    """Find the macro that was called without the argument, and how many templates led there."""
    found = None
    depth = 0
    while traceback is not None:
        frame = traceback.tb_frame
        owner = frame.f_locals.get("self")
        if isinstance(owner, jinja2.runtime.Macro) and argument in owner.arguments and depth:
            found = (owner.name, depth)
        depth += "__jinja_template__" in frame.f_globals
        traceback = traceback.tb_next
    return found


def _frames(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            yield template.filename, template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next


def _place_of_name(
    environment: jinja2.Environment, source: SourceFile, line: int, name: str | None
) -> Place:
    """Find the name inside a tag, on Jinja's line or after it (long tags span lines)."""
    text = source.padded()
    starts = line_starts(text)
    fallback: int | None = None
    try:
        for offset, kind, value in tokens(environment, text):
            if line_at(starts, offset) + 1 < line:
                continue
            if kind in ("variable_begin", "block_begin") and fallback is None:
                fallback = offset
            if name is not None and kind in ("name", "string") and value.strip("'\"") == name:
                return source.place(offset)
    except ValueError:
        return _place_on_line(source, line, [name] if name else [])
    return source.place(fallback) if fallback is not None else _place_on_line(source, line, [])


Explained = tuple[str, str, str, str, str | None]


def _explained(error: BaseException, namespace: Mapping[str, object]) -> Explained:
    match error:
        case TemplateFaultError():
            return error.code, error.found, error.expected, error.advice, error.name
        case UnknownNameError():
            return _unknown_name(error, namespace)
        case SecurityError():
            return (
                "jinja-error",
                f"something that templates may not do: {error}",
                "values, loops and macros",
                "remove it",
                None,
            )
        case RecursionError():
            return (
                "jinja-error",
                "macros that call each other without end",
                "macros that come to an end",
                "give the recursion a last step",
                None,
            )
        case _:
            return _other(error)


def _other(error: BaseException) -> Explained:
    message = str(error) or type(error).__name__
    macro = re.match(r"macro '(\w+)'", message)
    if macro is not None:
        return (
            "jinja-argument",
            message.replace("'", ""),
            "the arguments that the macro declares",
            "correct the call",
            macro[1],
        )
    return (
        "jinja-error",
        f"{type(error).__name__}: {message}",
        "an expression that has a value",
        "correct the expression",
        None,
    )


def _unknown_name(error: UnknownNameError, namespace: Mapping[str, object]) -> Explained:
    name, owner = error.name, error.owner
    if _lacks_argument(error):
        return (
            "jinja-argument",
            f"the macro's argument {name} has no value in this call",
            f"a value for {name}",
            f"pass {name}=..., or give it a default in the macro: {name}=''",
            name,
        )
    if isinstance(owner, Variables):
        return (
            "jinja-unknown-variable",
            f"vars.{name}, which no one defines",
            "a variable of config.yaml (vars, or the environment's vars)",
            nearest(name, variable_names(owner)),
            name,
        )
    if isinstance(owner, WindowValue):
        known = ["add", "format", *(n for n in dir(owner) if n.endswith(("_start", "_end")))]
        return (
            "jinja-window-method",
            f".{name} of start or end",
            f"one of {', '.join(known)}",
            nearest(name, known),
            name,
        )
    if isinstance(owner, (Masks, jinja2.runtime.Macro)):
        return _attribute(name, owner)
    if owner is not missing:
        return (
            "jinja-unknown-name",
            f".{name} of {owner!r}",
            "an attribute that the value has",
            "correct the name",
            name,
        )
    advice = nearest(name, namespace)
    return "jinja-unknown-name", f"the unknown name {name}", "a name that exists", advice, name


def _attribute(name: str, owner: Masks | jinja2.runtime.Macro) -> Explained:
    if isinstance(owner, Masks):
        known = [method for method in dir(owner) if not method.startswith("_")]
        advice = nearest(name, known)
        return "jinja-mask", f"mask.{name}", f"one of {', '.join(known)}", advice, name
    return (
        "jinja-unknown-name",
        f".{name} of a macro",
        "a call: name(...)",
        "call the macro",
        name,
    )
