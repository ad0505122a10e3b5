"""Respells the JSON functions of a statement before it is parsed: SQL/JSON becomes plain calls.

In: a statement's text.  Out: text whose JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT and
JSON_ARRAY are calls of `__sqljson_...` with their clauses as one JSON literal, and whose other
JSON functions have names that the parser has no rules for.  Paths are checked on the way.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure, syntax_error
from runner.local.athena.lexer import Token, position, tokenize
from runner.local.athena.passes.json import RENAMED
from runner.local.athena.sqljsonpath import PathSyntaxError, read_path

if TYPE_CHECKING:
    from collections.abc import Callable

_ANY = re.compile(r"json", re.IGNORECASE)
_NULL_CLAUSES = (("NULL", "ON", "NULL"), ("ABSENT", "ON", "NULL"))
_VALUE_ENDS = (
    (",",),
    ("FORMAT", "JSON"),
    ("RETURNING",),
    ("WITH", "UNIQUE"),
    ("WITHOUT", "UNIQUE"),
    *_NULL_CLAUSES,
)
_ARGUMENT_ENDS = ((",",), ("FORMAT", "JSON"), ("AS",))
_KEY_ENDS = ((":",), ("VALUE",))
_DEFAULT_ENDS = (("ON", "EMPTY"), ("ON", "ERROR"))
_TYPE_ENDS = (
    ("FORMAT",),
    *((word,) for word in ("WITH", "WITHOUT", "KEEP", "OMIT", "NULL", "ERROR", "EMPTY", "DEFAULT")),
)
_JSON_CALLS = frozenset({"JSON_OBJECT", "JSON_ARRAY", "JSON_QUERY"})
_CODECS = {"UTF8": "utf_8", "UTF16": "utf_16_le", "UTF32": "utf_32_le"}
_TEXT_TYPE = re.compile(r"\s*(varchar|char)\b", re.IGNORECASE)


def spell_json(sql: str) -> str:
    """Respell a statement; raises AthenaFailure for clauses or paths that are wrong.

    >>> spell_json("SELECT json_size(j, '$')")
    "SELECT jzon_size(j, '$')"
    """
    if not _ANY.search(sql):
        return sql
    tokens = tokenize(sql)
    return _Spelling(sql, tokens).range(0, len(tokens))


class _Spelling:
    """Spells ranges of tokens, calls within calls included."""

    def __init__(self, sql: str, tokens: tuple[Token, ...]) -> None:
        self.sql = sql
        self.tokens = tokens

    def range(self, first: int, last: int) -> str:
        """Spell the tokens from `first` to before `last`, with the text between them."""
        if first >= last:
            return ""
        pieces: list[str] = []
        done = self.tokens[first].start if first else 0
        place = first
        while place < last:
            token = self.tokens[place]
            called = token.kind == "word" and self._is_mark(place + 1, "(")
            handler = _CALLS.get(token.word()) if called else None
            if handler is not None and not self._is_mark(place - 1, "."):
                close = self.closing(place + 1)
                pieces += [self.sql[done : token.start], handler(_Clauses(self, place + 2, close))]
                done, place = self.tokens[close].end, close
            elif called and token.text.lower() in RENAMED:
                pieces += [self.sql[done : token.start], RENAMED[token.text.lower()]]
                done = token.end
            place += 1
        end = len(self.sql) if last == len(self.tokens) else self.tokens[last - 1].end
        return "".join((*pieces, self.sql[done:end]))

    def _is_mark(self, place: int, text: str) -> bool:
        return 0 <= place < len(self.tokens) and self.tokens[place].text == text

    def closing(self, opening: int) -> int:
        """Give the bracket that closes the one at a place."""
        depth = 0
        for place in range(opening, len(self.tokens)):
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(self.tokens[place].text, 0)
            if not depth:
                return place
        raise self.fault(len(self.tokens))

    def fault(self, place: int) -> AthenaFailure:
        """Make the failure of an unexpected token."""
        token = self.tokens[place] if place < len(self.tokens) else None
        line, column = position(self.sql, token.start if token else len(self.sql))
        return syntax_error(line, column, f"mismatched input '{token.text if token else '<EOF>'}'")


class _Clauses:
    """Reads what stands between a call's brackets."""

    def __init__(self, spelling: _Spelling, first: int, last: int) -> None:
        self._spelling = spelling
        self._place = first
        self._last = last

    def at(self, *words: str) -> bool:
        """Tell whether these words come next."""
        ahead = self._spelling.tokens[self._place : min(self._place + len(words), self._last)]
        return tuple(t.text.upper() if t.kind != "string" else "" for t in ahead) == words

    def accept(self, *words: str) -> bool:
        """Take these words if they come next."""
        if not self.at(*words):
            return False
        self._place += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Take these words; raises AthenaFailure if others come."""
        if not self.accept(*words):
            raise self.fault()

    def fault(self) -> AthenaFailure:
        """Make the failure of what comes next."""
        return self._spelling.fault(self._place)

    def done(self) -> bool:
        """Tell whether nothing is left."""
        return self._place >= self._last

    def end(self) -> None:
        """Raise AthenaFailure if anything is left."""
        if not self.done():
            raise self.fault()

    def token(self) -> Token:
        """Take one token."""
        if self.done():
            raise self.fault()
        self._place += 1
        return self._spelling.tokens[self._place - 1]

    def text(self, ends: tuple[tuple[str, ...], ...]) -> str:
        """Take what comes before one of the ends outside of brackets, spelled."""
        first = self._place
        while not self.done() and not (self._place > first and any(self.at(*e) for e in ends)):
            if self._spelling.tokens[self._place].text in {"(", "["}:
                self._place = self._spelling.closing(self._place)
            self._place += 1
        if first == self._place:
            raise self.fault()
        return self._spelling.range(first, self._place)

    def leads_to(self, *words: str) -> bool:
        """Tell whether these words are the first end of a default that begins here."""
        start = self._place
        self.text(_DEFAULT_ENDS)
        found = self.at(*words)
        self._place = start
        return found

    def value(self, ends: tuple[tuple[str, ...], ...]) -> tuple[str, bool]:
        """Take a value and tell whether it is JSON already: by FORMAT JSON, or as a JSON call."""
        first = self._place
        text = self.text(ends)
        tokens = self._spelling.tokens
        is_call = tokens[first].word() in _JSON_CALLS and (
            self._place - 1 == self._spelling.closing(first + 1)
        )
        codec = self.format()
        if codec is None:
            return text, is_call
        if codec:
            text = f"__sqljson_decode({text}, '{codec}')"
        return text, True

    def format(self) -> str | None:
        """Take FORMAT JSON ENCODING; gives Python's name of the encoding, if there is any."""
        if not self.accept("FORMAT", "JSON"):
            return None
        if not self.accept("ENCODING"):
            return ""
        token = self.token()
        if token.word() not in _CODECS:
            raise self.fault()
        return _CODECS[token.word()]

    def returning(self) -> tuple[str, str]:
        """Take RETURNING; gives the type's text and the encoding, both may be empty."""
        if not self.accept("RETURNING"):
            return "", ""
        kind = self.text(_TYPE_ENDS)
        return kind, self.format() or ""


def _invocation(clauses: _Clauses) -> tuple[str, dict[str, object], str]:
    """Read input, path and parameters; gives the input, the options, and the parameters."""
    given, _ = clauses.value(((",",), ("FORMAT", "JSON")))
    clauses.expect(",")
    token = clauses.token()
    if token.kind != "string":
        raise syntax_error(1, 1, f"mismatched input '{token.text}'. Expecting: <string>")
    names: list[str] = []
    formats: list[bool] = []
    values: list[str] = []
    if clauses.accept("PASSING"):
        while True:
            text, is_json = clauses.value(_ARGUMENT_ENDS)
            clauses.expect("AS")
            name = clauses.token()
            names.append(name.text[1:-1] if name.kind == "quoted" else name.text.upper())
            formats.append(is_json)
            values.append(_encoded(text, is_json=is_json))
            if not clauses.accept(","):
                break
    _check_path(token.literal(), names)
    options: dict[str, object] = {"path": token.literal(), "names": names, "formats": formats}
    return given, options, _list(values)


def _check_path(path: str, names: list[str]) -> None:
    try:
        found = read_path(path)
    except PathSyntaxError as error:
        raise AthenaFailure("INVALID_PATH", f"invalid JSON path '{path}': {error}") from error
    for name in sorted(found.variables() - set(names)):
        raise AthenaFailure(
            "INVALID_PATH",
            f"no value passed for parameter {name}."
            f' Try quoting "{name}" in the PASSING clause to match case',
        )


def _encoded(text: str, *, is_json: bool) -> str:
    return text if is_json else f"__sqljson_item({text})"


def _list(values: list[str]) -> str:
    return f"ARRAY[{', '.join(values)}]" if values else "NULL"


def _literal(options: dict[str, object]) -> str:
    return "'" + json.dumps(options, sort_keys=True).replace("'", "''") + "'"


def _exists(clauses: _Clauses) -> str:
    given, options, values = _invocation(clauses)
    options["error"] = "FALSE"
    if not clauses.done():
        options["error"] = clauses.token().word()
        if options["error"] not in {"TRUE", "FALSE", "UNKNOWN", "ERROR"}:
            raise clauses.fault()
        clauses.expect("ON", "ERROR")
    clauses.end()
    return f"__sqljson_exists({given}, {_literal(options)}, {values})"


def _value(clauses: _Clauses) -> str:
    given, options, values = _invocation(clauses)
    kind, _ = clauses.returning()
    options["type"] = kind or "varchar"
    defaults = {"EMPTY": "NULL", "ERROR": "NULL"}
    options |= {"empty": "NULL", "error": "NULL"}
    for moment in ("EMPTY", "ERROR"):
        behaviour, text = _value_behaviour(clauses, moment)
        if behaviour:
            options[moment.lower()] = behaviour
            defaults[moment] = text
    clauses.end()
    call = (
        f"__sqljson_value({given}, {_literal(options)}, {values}, "
        f"{defaults['EMPTY']}, {defaults['ERROR']})"
    )
    return f"CAST({call} AS {kind})" if kind else call


def _value_behaviour(clauses: _Clauses, moment: str) -> tuple[str, str]:
    for word in ("NULL", "ERROR"):
        if clauses.accept(word, "ON", moment):
            return word, "NULL"
    if not clauses.at("DEFAULT") or not clauses.leads_to("ON", moment):
        return "", ""
    clauses.expect("DEFAULT")
    text = clauses.text(_DEFAULT_ENDS)
    clauses.expect("ON", moment)
    return "DEFAULT", f"CAST({text} AS VARCHAR)"


def _query(clauses: _Clauses) -> str:
    given, options, values = _invocation(clauses)
    kind, codec = clauses.returning()
    options["wrapper"] = _wrapper(clauses)
    options["quotes"] = _quotes(clauses)
    if options["quotes"] and options["wrapper"] != "WITHOUT":
        raise AthenaFailure(
            "INVALID_FUNCTION_ARGUMENT",
            f"{options['quotes']} QUOTES behavior specified with WITH {options['wrapper']} "
            "ARRAY WRAPPER behavior",
        )
    for moment in ("EMPTY", "ERROR"):
        options[moment.lower()] = "NULL"
        for words in (("ERROR",), ("NULL",), ("EMPTY", "ARRAY"), ("EMPTY", "OBJECT")):
            if clauses.accept(*words, "ON", moment):
                options[moment.lower()] = words[-1]
    clauses.end()
    call = f"__sqljson_query({given}, {_literal(options)}, {values})"
    return _output(call, kind, codec)


def _wrapper(clauses: _Clauses) -> str:
    if clauses.accept("WITHOUT"):
        found = "WITHOUT"
    elif clauses.accept("WITH"):
        found = "CONDITIONAL" if clauses.accept("CONDITIONAL") else "UNCONDITIONAL"
        clauses.accept("UNCONDITIONAL")
    else:
        return "WITHOUT"
    clauses.accept("ARRAY")
    clauses.expect("WRAPPER")
    return found


def _quotes(clauses: _Clauses) -> str:
    for word in ("KEEP", "OMIT"):
        if clauses.accept(word, "QUOTES"):
            if clauses.accept("ON"):
                clauses.expect("SCALAR")
                if clauses.token().word() not in {"STRING", "TEXT_STRING"}:
                    raise clauses.fault()
            return word
    return ""


def _output(call: str, kind: str, codec: str) -> str:
    """Give the result the type that RETURNING names."""
    if not kind:
        return call
    if kind.strip().lower() == "varbinary":
        return f"__sqljson_encode({call}, '{codec or 'utf_8'}')"
    if not _TEXT_TYPE.match(kind) or codec:
        raise AthenaFailure(
            "TYPE_MISMATCH",
            f"Cannot output JSON value as {kind.strip().lower()} using formatting JSON",
        )
    return f"CAST({call} AS {kind})"


def _on_null(clauses: _Clauses, default: str) -> str:
    for words in _NULL_CLAUSES:
        if clauses.accept(*words):
            return words[0]
    return default


def _object(clauses: _Clauses) -> str:
    keys: list[str] = []
    values: list[str] = []
    formats: list[bool] = []
    while not clauses.done() and not clauses.at("RETURNING"):
        if clauses.at("KEY") and not (clauses.at("KEY", ":") or clauses.at("KEY", "VALUE")):
            clauses.expect("KEY")
        keys.append(clauses.text(_KEY_ENDS))
        clauses.token()
        text, is_json = clauses.value(_VALUE_ENDS)
        formats.append(is_json)
        values.append(_encoded(text, is_json=is_json))
        if not clauses.accept(","):
            break
    options: dict[str, object] = {"null": _on_null(clauses, "NULL"), "formats": formats}
    options["unique"] = clauses.accept("WITH", "UNIQUE")
    if options["unique"] or clauses.accept("WITHOUT", "UNIQUE"):
        clauses.accept("KEYS")
    kind, codec = clauses.returning()
    clauses.end()
    call = f"__sqljson_object({_literal(options)}, {_list(keys)}, {_list(values)})"
    return _output(call, kind, codec)


def _array(clauses: _Clauses) -> str:
    values: list[str] = []
    formats: list[bool] = []
    while not clauses.done() and not clauses.at("RETURNING"):
        text, is_json = clauses.value(_VALUE_ENDS)
        formats.append(is_json)
        values.append(_encoded(text, is_json=is_json))
        if not clauses.accept(","):
            break
    options: dict[str, object] = {"null": _on_null(clauses, "ABSENT"), "formats": formats}
    kind, codec = clauses.returning()
    clauses.end()
    return _output(f"__sqljson_array({_literal(options)}, {_list(values)})", kind, codec)


_CALLS: dict[str, Callable[[_Clauses], str]] = {
    "JSON_EXISTS": _exists,
    "JSON_VALUE": _value,
    "JSON_QUERY": _query,
    "JSON_OBJECT": _object,
    "JSON_ARRAY": _array,
}
