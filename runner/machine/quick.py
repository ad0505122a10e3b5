"""An exact fast path for the JSONata that definitions mostly use.

In: the text of an expression.  Out: a closure over an `Env`, or None when the text uses anything
beyond the subset: literals, variables, field paths, `&`, `+`, `-`, comparisons, `in`, `and`,
`*`, `or`, `? :`, `[...]`, `{...}`, `$exists`, `$not`, `$append`, `$merge`, `$hash`, `$count`,
`$length`, `$lowercase`, `$uppercase`, `$string`, `$sum`, an index (`$x.items[0].a`), and predicates
that compare fields of items (`[status in ["a", "b"] and $not(name = "c")]`).  Where
JSONata would map nested arrays, or print a number or structure, the closure raises `Deferred` and
the full implementation evaluates the whole expression again (the subset has no effects).
A definition within the subset never pays for the import of a JSONata library.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from runner.machine.quick_tokens import FUNCTION_NAMES, Kind, Token, tokenize
from runner.machine.quick_values import (
    Deferred,
    add,
    append,
    cased,
    chosen,
    compare,
    concatenate,
    count,
    descend,
    digest,
    equal,
    includes,
    item_at,
    length,
    merge,
    multiply,
    step_down,
    string,
    total,
    truth,
)
from runner.machine.templates import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from runner.machine.templates import Compiled, Env
    from runner.model.ports import Json

    Follow: TypeAlias = "Callable[[Json, tuple[str, ...]], Json]"
    Binary: TypeAlias = "Callable[[Compiled, Compiled], Compiled]"

_CONDITION = 20
_COMPARISON = 40
_CONCATENATION = 50


class _Declined(Exception):
    """The text is outside the subset."""


def compile_quick(text: str) -> Compiled | None:
    """Compile an expression of the subset, or decline."""
    tokens = tokenize(text)
    if tokens is None or _nesting(tokens) > _MOST_NESTING:
        return None
    reader = _Reader(tokens)
    try:
        compiled = reader.expression(0)
        reader.expect("")
    except _Declined:
        return None
    return compiled


_MOST_NESTING = 90
"""AWS refuses an expression that nests about 100 deep; the full implementation counts exactly."""


def _nesting(tokens: list[Token]) -> int:
    """Bound how deep the evaluation of an expression nests: operators and brackets around it."""
    levels = [0]
    most = 0
    for token in tokens:
        if token.kind is not Kind.SYMBOL or token.text in {".", ":"}:
            continue
        if token.text == ",":
            levels[-1] = 0
        elif token.text in {")", "]", "}"}:
            levels = levels[:-1] or [0]
        elif token.text in {"(", "[", "{"}:
            levels[-1] += 1
            levels.append(0)
        else:
            levels[-1] += 1
        most = max(most, sum(levels) + 2)
    return most


class _Test(NamedTuple):
    """One test of a predicate: a field of the item, `=` or `in`, a value, the answer wanted."""

    field: str
    operator: str
    value: Compiled
    wanted: bool


class _Reader:
    """A precedence-climbing parser over the tokens of one expression."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens: Iterator[Token] = iter(tokens)
        self._token = next(self._tokens)

    def _advance(self) -> Token:
        token = self._token
        self._token = next(self._tokens, Token(Kind.END, ""))
        return token

    def expect(self, symbol: str) -> None:
        kind = Kind.SYMBOL if symbol else Kind.END
        if self._token.kind is not kind or (symbol and self._token.text != symbol):
            raise _Declined
        self._advance()

    def _at(self, symbol: str) -> bool:
        return self._token.kind is Kind.SYMBOL and self._token.text == symbol

    def expression(self, least: int) -> Compiled:
        left = self._primary()
        while True:
            if self._token.kind is not Kind.SYMBOL:
                return left
            operator = self._token.text
            if operator == "?" and least < _CONDITION:
                left = self._conditional(left)
                continue
            if operator == "&" and least < _CONCATENATION:
                left = self._concatenation(left)
                continue
            power, build = _OPERATORS.get(operator, (0, None))
            if build is None or power <= least:
                return left
            self._advance()
            left = build(left, self.expression(power))

    def _conditional(self, condition: Compiled) -> Compiled:
        self._advance()
        then = self.expression(0)
        other: Compiled = _undefined
        if self._at(":"):
            self._advance()
            other = self.expression(0)
        return lambda env: then(env) if truth(condition(env)) else other(env)

    def _concatenation(self, first: Compiled) -> Compiled:
        parts = [first]
        while self._at("&"):
            self._advance()
            parts.append(self.expression(_CONCATENATION))
        pieces = tuple(parts)
        return lambda env: concatenate([piece(env) for piece in pieces])

    def _primary(self) -> Compiled:
        token = self._advance()
        if token.kind in {Kind.STRING, Kind.NUMBER, Kind.WORD}:
            return _constant(token.value)
        if token.kind is Kind.VARIABLE:
            if self._at("("):
                return self._function(token.text)
            return self._path(token.text)
        if token.kind is Kind.SYMBOL:
            return self._bracketed(token.text)
        raise _Declined

    def _path(self, name: str) -> Compiled:
        fields: list[str] = []
        while self._at("."):
            self._advance()
            token = self._advance()
            if token.kind is not Kind.NAME:
                raise _Declined
            fields.append(token.text)
        if self._at("(") or self._at("{"):
            raise _Declined
        make = _states_path if name == "states" else partial(_variable_path, name)
        path = tuple(fields)
        return self._filtered(make(path, descend), make(path, step_down))

    def _filtered(self, inner: Compiled, whole: Compiled) -> Compiled:
        """Read the predicate that may follow: an index, or field tests joined by `and`.

        An index belongs to the last step alone, so it wants a path without arrays on the way.
        """
        if not self._at("["):
            return inner
        self._advance()
        if self._token.kind is Kind.NUMBER:
            return self._indexed(whole, self._advance())
        tests = [self._test()]
        while self._at("and"):
            self._advance()
            tests.append(self._test())
        self.expect("]")
        if any(map(self._at, (".", "[", "{", "("))):
            raise _Declined
        # What is missing on the way of a path passes a test that wants nothing of it.
        return _choose(inner if tests[0].wanted else whole, tuple(tests))

    def _indexed(self, whole: Compiled, index: Token) -> Compiled:
        self.expect("]")
        fields: list[str] = []
        while self._at("."):
            self._advance()
            token = self._advance()
            if token.kind is not Kind.NAME:
                raise _Declined
            fields.append(token.text)
        if any(map(self._at, ("[", "{", "("))):
            raise _Declined
        position, rest = int(index.text), tuple(fields)
        return lambda env: item_at(whole(env), position, rest)

    def _test(self) -> _Test:
        if self._token.kind is Kind.VARIABLE and self._token.text == "not":
            self._advance()
            self.expect("(")
            test = self._test()
            self.expect(")")
            return test._replace(wanted=not test.wanted)
        field, operator = self._advance(), self._advance()
        is_test = operator.kind is Kind.SYMBOL and operator.text in {"=", "in"}
        if field.kind is not Kind.NAME or not is_test:
            raise _Declined
        return _Test(field.text, operator.text, self.expression(_COMPARISON), wanted=True)

    def _bracketed(self, symbol: str) -> Compiled:
        if symbol == "(":
            inner = self.expression(0)
            self.expect(")")
        elif symbol == "[":
            inner = _array(self._items())
        elif symbol == "{":
            inner = _object(self._members())
        else:
            raise _Declined
        if any(map(self._at, (".", "[", "{", "("))):
            raise _Declined
        return inner

    def _items(self) -> tuple[tuple[Compiled, bool], ...]:
        items: list[tuple[Compiled, bool]] = []
        while not self._at("]"):
            if items:
                self.expect(",")
            nested = self._at("[")
            item = self.expression(0)
            if nested and not (self._at(",") or self._at("]")):
                raise _Declined
            items.append((item, nested))
        self._advance()
        return tuple(items)

    def _members(self) -> tuple[tuple[str, Compiled], ...]:
        members: dict[str, Compiled] = {}
        while not self._at("}"):
            if members:
                self.expect(",")
            key = self._advance()
            if key.kind is not Kind.STRING or key.value in members:
                raise _Declined
            self.expect(":")
            members[str(key.value)] = self.expression(0)
        self._advance()
        return tuple(members.items())

    def _function(self, name: str) -> Compiled:
        self._advance()
        arguments: list[Compiled] = []
        while not self._at(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.expression(0))
        self._advance()
        if any(map(self._at, (".", "{", "("))):
            raise _Declined
        build = _FUNCTIONS.get((name, len(arguments)))
        if build is None:
            raise _Declined
        made = build(*arguments)
        return self._filtered(made, made)


def _undefined(_env: Env) -> Json:
    return UNDEFINED


def _constant(value: Json) -> Compiled:
    return lambda _env: value


def _function_or_path(name: str, fields: tuple[str, ...], follow: Follow) -> Compiled:
    """Read a variable that is called like a function; without one, the name is the function."""

    def read(env: Env) -> Json:
        if name not in env.variables:
            raise Deferred
        return follow(env.variables[name], fields)

    return read


def _variable_path(name: str, fields: tuple[str, ...], follow: Follow) -> Compiled:
    if name in FUNCTION_NAMES:
        return _function_or_path(name, fields, follow)
    if not fields:
        return lambda env: env.variables.get(name, UNDEFINED)
    return lambda env: follow(env.variables.get(name, UNDEFINED), fields)


def _states_path(fields: tuple[str, ...], follow: Follow) -> Compiled:
    if not fields:
        return lambda env: env.states()
    first, rest = fields[0], fields[1:]
    if first == "input":
        return lambda env: follow(env.input, rest)
    if first == "context":
        return lambda env: follow(env.make_context(), rest)
    if first == "result":
        return lambda env: follow(env.result, rest)
    if first == "errorOutput":
        return lambda env: follow(env.error_output, rest)
    return _undefined


def _array(items: tuple[tuple[Compiled, bool], ...]) -> Compiled:
    def build(env: Env) -> Json:
        built: list[Json] = []
        for compiled, nested in items:
            value = compiled(env)
            if isinstance(value, list) and not nested:
                built.extend(value)
            elif value is not UNDEFINED:
                built.append(value)
        return built

    return build


def _object(members: tuple[tuple[str, Compiled], ...]) -> Compiled:
    def build(env: Env) -> Json:
        pairs = ((key, compiled(env)) for key, compiled in members)
        return {key: value for key, value in pairs if value is not UNDEFINED}

    return build


def _choose(inner: Compiled, tests: tuple[_Test, ...]) -> Compiled:
    def choose(env: Env) -> Json:
        def holds(item: Json) -> bool:
            return all(_passes(item, test, env) for test in tests)

        return chosen(inner(env), holds)

    return choose


def _passes(item: Json, test: _Test, env: Env) -> bool:
    left, right = descend(item, (test.field,)), test.value(env)
    if test.operator == "in":
        return includes(left, right) is test.wanted
    return equal(left, right, negated=False) is test.wanted


def _and(left: Compiled, right: Compiled) -> Compiled:
    return lambda env: truth(left(env)) and truth(right(env))


def _or(left: Compiled, right: Compiled) -> Compiled:
    return lambda env: truth(left(env)) or truth(right(env))


def _ordered(symbol: str) -> Binary:
    return lambda left, right: lambda env: compare(left(env), right(env), symbol)


def _summed(sign: int) -> Binary:
    return lambda left, right: lambda env: add(left(env), right(env), sign)


_OPERATORS: dict[str, tuple[int, Binary]] = {
    "or": (25, _or),
    "and": (30, _and),
    "=": (40, lambda left, right: lambda env: equal(left(env), right(env), negated=False)),
    "!=": (40, lambda left, right: lambda env: equal(left(env), right(env), negated=True)),
    "in": (40, lambda left, right: lambda env: includes(left(env), right(env))),
    "<": (40, _ordered("<")),
    "<=": (40, _ordered("<=")),
    ">": (40, _ordered(">")),
    ">=": (40, _ordered(">=")),
    "+": (50, _summed(1)),
    "-": (50, _summed(-1)),
    "*": (60, lambda left, right: lambda env: multiply(left(env), right(env))),
}


def _exists(inner: Compiled) -> Compiled:
    return lambda env: inner(env) is not UNDEFINED


def _not(inner: Compiled) -> Compiled:
    def negate(env: Env) -> Json:
        value = inner(env)
        return UNDEFINED if value is UNDEFINED else not truth(value)

    return negate


def _append(left: Compiled, right: Compiled) -> Compiled:
    return lambda env: append(left(env), right(env))


def _merge(objects: Compiled) -> Compiled:
    return lambda env: merge(objects(env))


def _hash(text: Compiled, algorithm: Compiled) -> Compiled:
    return lambda env: digest(text(env), algorithm(env))


def _of_one(function: Callable[[Json], Json]) -> Callable[[Compiled], Compiled]:
    return lambda inner: lambda env: function(inner(env))


_FUNCTIONS: dict[tuple[str, int], Callable[..., Compiled]] = {
    ("exists", 1): _exists,
    ("not", 1): _not,
    ("append", 2): _append,
    ("merge", 1): _merge,
    ("hash", 2): _hash,
    ("count", 1): _of_one(count),
    ("length", 1): _of_one(length),
    ("lowercase", 1): _of_one(partial(cased, change=str.lower)),
    ("string", 1): _of_one(string),
    ("sum", 1): _of_one(total),
    ("uppercase", 1): _of_one(partial(cased, change=str.upper)),
}
