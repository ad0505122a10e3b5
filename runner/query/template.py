"""The Jinja environment of SQL files: sandboxed, strict, and knowing nothing but what we name.

In: source text.  Out: compiled templates, and the source cut into tokens with offsets.  The only
module that builds Jinja objects; imported when the first file is rendered.
"""

from __future__ import annotations

import functools
import hashlib
import marshal
import sys
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

import jinja2
from jinja2 import nodes
from jinja2.runtime import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing

from runner.query.window_value import (
    MarkedText,
    TemplateFaultError,
    WindowValue,
    described,
    join_marked,
    logic_fault,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType

    from runner.query.source import SourceFile

_CACHE_VERSION = "2"
_PRINTING_FILTERS = frozenset({"default", "d", "trim", "indent", "safe"})
_PASSING_TESTS = frozenset({"defined", "undefined"})
COMPUTED = "computed"
"""Keyword by which `ref` learns that its argument is no literal."""
Token = tuple[int, str, str]
"""Offset in the source, Jinja's name of the kind, the text."""


class CodeCache(Protocol):
    """Where compiled templates are kept between processes; keys name the content."""

    def load(self, key: str) -> bytes | None:
        """Give what was stored under the key."""
        ...

    def store(self, key: str, code: bytes) -> None:
        """Keep it."""
        ...


class UnknownNameError(jinja2.UndefinedError):
    """A name, an attribute or a macro's argument that does not exist was used."""

    def __init__(self, name: str, owner: object, hint: str | None) -> None:
        """Take the name, the object without that attribute (or `missing`), and Jinja's hint."""
        super().__init__(hint or f"{name!r} is undefined")
        self.name = name
        self.owner = owner
        self.hint = hint


class _Missing(StrictUndefined):
    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: object = missing,
        name: str | None = None,
        exc: object = None,
    ) -> None:
        del exc
        raiser = functools.partial(_raise_unknown, str(name or ""), obj, hint)
        super().__init__(hint, obj, name, raiser)  # type: ignore[arg-type] # called with the message


def _raise_unknown(name: str, owner: object, hint: str | None, _: str | None) -> NoReturn:
    raise UnknownNameError(name, owner, hint)


class _NoImports(jinja2.BaseLoader):
    def get_source(self, environment: jinja2.Environment, template: str) -> NoReturn:
        del environment
        raise TemplateFaultError(
            "jinja-import",
            found=f"a template named {template!r} is imported, included or extended",
            expected="macros by their names; those of sql/macros/*.sql are known everywhere",
            advice="remove the tag and call the macro",
        )


class _Environment(SandboxedEnvironment):
    concat = staticmethod(join_marked)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Mark every `ref()` of anything but one literal, for `ref` to refuse (SEMANTICS 26)."""
        template = super()._parse(source, name, filename)
        for call in template.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "ref":
                literal = len(call.args) == 1 and isinstance(call.args[0], nodes.Const)
                if not literal:
                    mark = nodes.Keyword(COMPUTED, nodes.Const(True), lineno=call.lineno)
                    call.kwargs.append(mark)
        return template


def make_environment() -> jinja2.Environment:
    """Build the environment; blocks keep their newlines, because `a{% if x %}` + newline + FROM."""
    environment = _Environment(
        undefined=_Missing,
        finalize=_print_value,
        loader=_NoImports(),
        keep_trailing_newline=True,
        autoescape=False,
        cache_size=0,
    )
    environment.globals.clear()
    environment.filters.update(
        {name: _guarded(name, call) for name, call in environment.filters.items()}
    )
    environment.tests.update(
        {
            name: _guarded_test(name, cast("Callable[..., Any]", call))
            for name, call in environment.tests.items()
            if name not in _PASSING_TESTS
        }
    )
    return environment


def _print_value(value: object) -> object:
    """Turn an expression's value into what is printed (Jinja's `finalize`)."""
    match value:
        case WindowValue():
            return value.printed()
        case str() | int() | float() | jinja2.Undefined():
            return value
        case None:
            raise TemplateFaultError(
                "jinja-value",
                found="an expression without a value (null)",
                expected="a text or a number to print",
                advice="give the variable a value, or write NULL in the SQL under {% if ... %}",
            )
        case _:
            raise TemplateFaultError(
                "jinja-value",
                found=f"an expression whose value is {described(value)}",
                expected="one text or number to print",
                advice="call a macro with (...); loop over a list with {% for x in ... %}",
            )


def _guarded(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    if name in _PRINTING_FILTERS:
        return call

    @functools.wraps(call)
    def guarded(*args: object, **options: object) -> object:
        if any(isinstance(arg, (WindowValue, MarkedText)) for arg in args):
            raise logic_fault(
                f"the filter `{name}` on a value that is known only at run time",
                "use .add(...) or .format(...) on start and end, or a function of SQL",
                name,
            )
        return call(*args, **options)

    return guarded


def _guarded_test(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def guarded(*args: object, **options: object) -> object:
        if any(isinstance(arg, (WindowValue, MarkedText)) for arg in args):
            raise logic_fault(f"the test `{name}` on start or end", "test it in SQL", name)
        return call(*args, **options)

    return guarded


def compile_template(
    environment: jinja2.Environment,
    source: SourceFile,
    *,
    text: str | None = None,
    cache: CodeCache | None = None,
) -> jinja2.Template:
    """Compile a file, or `text` that stands for it; offsets and lines are those of the file."""
    text = source.padded() if text is None else text
    code = _compiled(environment, text, source.path, cache)
    return jinja2.Template.from_code(environment, code, {}, None)


def _compiled(
    environment: jinja2.Environment, text: str, path: str, cache: CodeCache | None
) -> CodeType:
    if cache is None:
        return environment.compile(text, name=path, filename=path)
    version = f"{_CACHE_VERSION} {jinja2.__version__} {sys.version}"
    key = hashlib.sha256(f"{version}\0{path}\0{text}".encode()).hexdigest()
    stored = cache.load(key)
    if stored is not None:
        code: CodeType = marshal.loads(stored)  # noqa: S302 - our own cache, keyed by content
        return code
    code = environment.compile(text, name=path, filename=path)
    cache.store(key, marshal.dumps(code))
    return code


def run_template(template: jinja2.Template, namespace: dict[str, Any]) -> str:
    """Render; exceptions come out as they are raised, with the template in their frames."""
    context = template.new_context(namespace, shared=True)
    return "".join(template.root_render_func(context))


def exported_names(template: jinja2.Template, namespace: dict[str, Any]) -> dict[str, Any]:
    """Run a macro file and give what it defines."""
    context = template.new_context(namespace, shared=True)
    for _ in template.root_render_func(context):
        pass
    return context.get_exported()


def tokens(environment: jinja2.Environment, text: str) -> Iterator[Token]:
    """Cut the source into Jinja's tokens, each with its offset."""
    position = 0
    for _, kind, value in environment.lex(text):
        position = text.index(value, position)
        yield position, kind, value
        position += len(value)
