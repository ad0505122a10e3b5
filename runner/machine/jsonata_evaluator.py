"""jsonata-python's evaluator, mended where it strays from JSONata 2.0.6, and with limits.

In: an expression's text, then bindings.  Out: the library's value.  Each mend says why it is there:

- numbers: Python's division, remainder, infinities and big integers are not JavaScript's;
- comparisons, `in`: Python holds True equal to 1, and the messages lack their fields;
- ranges: the library's lazy list counts one item too many and is no sequence;
- grouping: it puts an item into the (shared) empty array that it groups;
- order-by: it names the two values of a type mismatch in the other order;
- calls: what is no function is told on stdout, and errors lack the function's name;
- every step is counted: `Meter` ends an expression that would hang, on any thread and alike in
  every replay, which a clock would not.

What stays different: keys that are digits keep the order of their making (JavaScript puts them
first); texts are indexed by characters and not by UTF-16 units; where several items of an array or
an object fail, the first one is told and not the one that JSONata happens to finish first; a
function of the language that is applied in part checks its arguments; `$formatInteger` beyond 1e15
in words, and `$formatNumber` with an exponent and no digits before the point, are the library's;
regular expressions keep what a group matched in an earlier round of a loop.  Whole numbers up to
2**63 keep all their digits, as on AWS, where JavaScript rounds them.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from jsonata import Jsonata
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.utils import Utils

from runner.machine.jsonata_errors import (
    MEMORY,
    NULL,
    STACK,
    Complaint,
    LimitExceeded,
)
from runner.machine.jsonata_meter import MOST_DEPTH, MOST_ITEMS, Meter
from runner.machine.jsonata_natives import Native, StrictSignature, strict
from runner.machine.jsonata_regex import Pattern, compile_pattern
from runner.machine.jsonata_text import Value, json_text, whole

if TYPE_CHECKING:
    from collections.abc import Mapping


_FRAMES = 4000
"""Python frames: enough for the deepest expression, far fewer than a thread's stack holds."""

if sys.getrecursionlimit() == 10_000:  # which the library sets when it is imported  # noqa: PLR2004
    sys.setrecursionlimit(_FRAMES)

_MOST_RANGE = 10_000_000
_ORDERS = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


class Evaluator(Jsonata):  # type: ignore[misc]  # (the library is not typed)
    """One compiled expression."""

    def __init__(self, text: str, functions: Mapping[str, object]) -> None:
        """Compile; raises JException."""
        super().__init__(text, compile_pattern)
        self.environment = self.create_frame(None)
        for name, function in functions.items():
            self.environment.bindings[name] = function
        self.meter = Meter()

    def run(self, bindings: Mapping[str, object]) -> Value:
        """Evaluate on this thread, with a meter of its own."""
        one = copy.copy(self)
        one.meter = Meter()
        frame = self.create_frame(self.environment)
        frame.bindings.update(bindings)
        one.environment = frame
        before = getattr(Jsonata.CURRENT, "jsonata", None)
        Jsonata.CURRENT.jsonata = one
        try:
            return one.eval(one.ast, None, frame)
        finally:
            Jsonata.CURRENT.jsonata = before

    def eval(self, expr: Value, given: Value, environment: Value) -> Value:
        """Evaluate one node of the expression: a step that costs and that nests."""
        meter = self.meter
        meter.depth += 1
        if meter.depth > MOST_DEPTH:
            raise LimitExceeded(STACK)
        evaluate = _KINDS.get(expr.type)
        value = evaluate(self, expr, given, environment) if evaluate else None
        for stage in getattr(expr, "predicate", None) or ():
            value = self.evaluate_filter(stage.expr, value, environment)
        if expr.type != "path" and getattr(expr, "group", None) is not None:
            value = self.evaluate_group_expression(expr.group, value, environment)
        meter.depth -= 1
        meter.spend(value)
        if isinstance(value, Utils.JList) and value.sequence and not value.tuple_stream:
            return _settled(value, keep=expr.keep_array)
        return value

    def evaluate_binary(self, expr: Value, given: Value, environment: Value) -> Value:
        """Evaluate `lhs operator rhs`."""
        symbol = str(expr.value)
        left = self.eval(expr.lhs, given, environment)
        if symbol in {"and", "or"}:
            holds = bool(truth(left))
            if holds is (symbol == "or"):
                return holds
            return bool(truth(self._right(expr, given, environment)))
        right = self.eval(expr.rhs, given, environment)
        if symbol in "+-*/%":
            return calculated(left, right, symbol)
        if symbol in _ORDERS:
            return _ordered(left, right, symbol)
        return _OTHERS[symbol](left, right, self.meter)

    def _right(self, expr: Value, given: Value, environment: Value) -> Value:
        """Evaluate the right side of `and` and `or`, whose name its errors take."""
        try:
            return self.eval(expr.rhs, given, environment)
        except Complaint as error:
            error.fields["token"] = expr.value
            raise

    def evaluate_condition(self, expr: Value, given: Value, environment: Value) -> Value:
        """Evaluate `condition ? then : else`."""
        if truth(self.eval(expr.condition, given, environment)):
            return self.eval(expr.then, given, environment)
        return None if expr._else is None else self.eval(expr._else, given, environment)  # noqa: SLF001

    def evaluate_filter(self, predicate: Value, given: Value, environment: Value) -> Value:
        """Keep the items that a predicate chooses by number or by holding."""
        stream = isinstance(given, Utils.JList) and given.tuple_stream
        items = given if isinstance(given, list) else [given]
        if predicate.type == "number":
            found = self._numbered(items, predicate.value)
            if isinstance(found, list):
                return found
            kept = Utils.create_sequence_from_iter(() if found is None else (found,))
        else:
            kept = Utils.create_sequence()
            for index, item in enumerate(items):
                scope = self.create_frame_from_tuple(environment, item) if stream else environment
                chosen = self.eval(predicate, item["@"] if stream else item, scope)
                if _is_chosen(chosen, index, len(items)):
                    kept.append(item)
        kept.tuple_stream = stream
        return kept

    def _numbered(self, items: Value, number: float) -> Value:
        index = math.floor(number)
        index += len(items) if index < 0 else 0
        return items[index] if 0 <= index < len(items) else None

    def evaluate_transform_expression(self, expr: Value, given: Value, environment: Value) -> Value:
        """Make the function of `|...|...|`."""
        made = super().evaluate_transform_expression(expr, given, environment)
        made.signature = StrictSignature("<(oa):o>", "")
        return made

    def evaluate_unary(self, expr: Value, given: Value, environment: Value) -> Value:
        """Evaluate `-x`; the constructors of arrays and objects are the library's."""
        if expr.value != "-":
            return super().evaluate_unary(expr, given, environment)
        value = self.eval(expr.expression, given, environment)
        if value is None:
            return None
        if not is_number(value):
            raise Complaint("D1002", value=value)
        return whole(-value)

    def evaluate_group_expression(self, expr: Value, given: Value, environment: Value) -> Value:
        """Group; an empty array counts as one undefined item and stays as it is."""
        if isinstance(given, list) and not given:
            given = Utils.create_sequence()
        return super().evaluate_group_expression(expr, given, environment)

    def evaluate_regex(self, expr: Value) -> Value:
        """Give a regular expression its meter: matching costs, too."""
        return Pattern(expr.value, self.meter, Jsonata)

    def evaluate_descendants(self, expr: Value, given: Value) -> Value:
        """Collect all descendants."""
        value = super().evaluate_descendants(expr, given)
        self.meter.spend(value)
        return value

    def evaluate_sort_expression(self, expr: Value, given: Value, environment: Value) -> Value:
        """Order by; Python's sort compares the later item with the earlier one."""
        try:
            return super().evaluate_sort_expression(expr, given, environment)
        except JException as error:
            if error.error != "T2007":
                raise
            raise Complaint("T2007", value=error.expected, value2=error.current) from error

    def evaluate_function(
        self, expr: Value, given: Value, environment: Value, applied: Value
    ) -> Value:
        """Call; an error without a name takes that of the innermost call."""
        try:
            return super().evaluate_function(expr, given, environment, applied)
        except Complaint as error:
            error.fields.setdefault("token", _called(expr.procedure))
            raise
        except JException as error:
            if error.error in {"T0410", "T1005"}:
                raise Complaint(error.error, token=_called(expr.procedure), index=1) from error
            raise

    def evaluate_partial_application(self, expr: Value, given: Value, environment: Value) -> Value:
        """Apply partially; a forgotten `$` is told."""
        if expr.procedure.type == "path":
            name = str(expr.procedure.steps[0].value)
            if environment.lookup(name) is not None:
                raise Complaint("T1007", token=name)
        return super().evaluate_partial_application(expr, given, environment)

    def validate_arguments(self, signature: Value, args: Value, context: Value) -> Value:
        """Check the arguments of a function that declares a signature."""
        declared = signature.signature if Functions.is_lambda(signature) else None
        if declared is not None:
            return strict(declared).validate(args, context)
        return super().validate_arguments(signature, args, context)

    def apply(self, proc: Value, args: Value, given: Value, environment: Value) -> Value:
        """Call, and go on calling while a tail call is what comes back."""
        value = self.apply_inner(proc, args, given, environment)
        while Functions.is_lambda(value) and value.thunk:
            called, scope = value.body, value.environment
            following = self.eval(called.procedure, value.input, scope)
            arguments = [self.eval(one, value.input, scope) for one in called.arguments]
            try:
                value = self.apply_inner(following, arguments, given, environment)
            except Complaint as error:
                error.fields.setdefault("token", _called(called.procedure))
                raise
        return value

    def apply_inner(self, proc: Value, args: Value, given: Value, environment: Value) -> Value:
        """Call what is a function; the library prints what is not."""
        if not (Functions.is_lambda(proc) or Utils.is_function(proc)):
            raise Complaint("T1006")
        try:
            return super().apply_inner(proc, args, given, environment)
        except Complaint as error:
            if isinstance(proc, Native):
                error.fields.setdefault("token", proc.function_name)
            raise


def _settled(value: Value, *, keep: Value) -> Value:
    """Give a sequence: nothing is undefined, one item is the item unless `[]` keeps the array."""
    if keep:
        value.keep_singleton = True
    if not value:
        return None
    return value[0] if len(value) == 1 and not value.keep_singleton else value


def _is_chosen(chosen: Value, index: int, size: int) -> bool:
    """Tell whether a predicate's value chooses an item: by its truth, or by its number."""
    numbers = chosen if isinstance(chosen, list) else [chosen]
    if not all(is_number(number) for number in numbers):
        return bool(truth(chosen))
    wanted = (math.floor(number) for number in numbers)
    return any(index == (size + one if one < 0 else one) for one in wanted)


def _called(procedure: Value) -> str | None:
    named = procedure.steps[0] if procedure.type == "path" else procedure
    return None if named.type == "lambda" else named.value


def is_number(value: object) -> bool:
    """Tell numbers; an infinite one cannot be calculated with."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if isinstance(value, float) and math.isinf(value):
        raise Complaint("D1001", value=value)
    return value == value  # noqa: PLR0124  (NaN is no number)


def truth(value: Value) -> bool | None:
    """Cast to a boolean; undefined stays undefined."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return any(truth(item) for item in value)
    if isinstance(value, float) and math.isinf(value):
        raise Complaint("D1001", value=value)
    return isinstance(value, (str, int, float, dict)) and bool(value == value and value)  # noqa: PLR0124


def calculated(left: Value, right: Value, symbol: str) -> Value:
    """Calculate with doubles."""
    if left is not None and not is_number(left):
        raise Complaint("T2001", token=symbol, value=left)
    if right is not None and not is_number(right):
        raise Complaint("T2002", token=symbol, value=right)
    if left is None or right is None:
        return None
    return whole(_arithmetic(float(left), float(right), symbol))


def _arithmetic(left: float, right: float, symbol: str) -> float:
    if symbol == "+":
        return left + right
    if symbol == "-":
        return left - right
    if symbol == "*":
        return left * right
    if symbol == "%":
        return math.fmod(left, right) if right else math.nan
    if right:
        return left / right
    return math.copysign(math.inf, left) * math.copysign(1, right) if left else math.nan


def _ordered(left: Value, right: Value, symbol: str) -> Value:
    for side in (left, right):
        comparable = side is None or isinstance(side, (str, int, float))
        if not comparable or isinstance(side, bool):
            raise Complaint("T2010", token=symbol, value=side)
    if left is None or right is None:
        return None
    if isinstance(left, str) is not isinstance(right, str):
        raise Complaint("T2009", token=symbol, value=left, value2=right)
    return _ORDERS[symbol](left, right)


def _joinable(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise Complaint("D3001", value=value)
    return "" if value is None or is_callable(value) else json_text(checked(value))


def is_callable(value: object) -> bool:
    """Tell functions: the language's own, lambdas and regular expressions."""
    return bool(Functions.is_lambda(value) or Utils.is_function(value))


def checked(value: Value) -> Value:
    """Refuse infinities inside a value."""
    if isinstance(value, float):
        is_number(value)
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            checked(item)
    return value


def _ranged(first: Value, last: Value, meter: Meter) -> Value:
    for code, end in (("T2003", first), ("T2004", last)):
        if end is not None and not _is_whole(end):
            raise Complaint(code, value=end)
    if first is None or last is None or first > last:
        return None
    size = whole(float(last) - float(first) + 1)
    if size > _MOST_RANGE:
        raise Complaint("D2014", value=size)
    if size > MOST_ITEMS:
        raise LimitExceeded(MEMORY)
    meter.charge(int(size))
    return Utils.create_sequence_from_iter(range(int(first), int(last) + 1))


def _is_whole(value: Value) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and value == math.floor(value)


def _included(left: Value, right: Value, meter: Meter) -> bool:
    if left is None or right is None:
        return False
    items = right if isinstance(right, list) else [right]
    meter.charge(len(items))
    if isinstance(left, (list, dict)):
        return any(left is item for item in items)
    return any(item == left and isinstance(item, bool) is isinstance(left, bool) for item in items)


def deep_equal(left: Value, right: Value, meter: Meter) -> bool:
    """Compare two values whole."""
    if left is right:
        return True
    if isinstance(left, list) and isinstance(right, list):
        meter.charge(len(left))
        return len(left) == len(right) and all(map(deep_equal, left, right, [meter] * len(left)))
    if isinstance(left, dict) and isinstance(right, dict):
        meter.charge(len(left))
        return left.keys() == right.keys() and all(
            deep_equal(item, right[key], meter) for key, item in left.items()
        )
    same = left == right and isinstance(left, bool) is isinstance(right, bool)
    return bool(same) or (_null(left) and _null(right))


def _null(value: object) -> bool:
    return value is None or value is NULL


def _equal(left: Value, right: Value, meter: Meter) -> bool:
    return left is not None and right is not None and deep_equal(left, right, meter)


def _unequal(left: Value, right: Value, meter: Meter) -> bool:
    return left is not None and right is not None and not deep_equal(left, right, meter)


def _joined(left: Value, right: Value, meter: Meter) -> str:
    texts = _joinable(left), _joinable(right)
    meter.afford(len(texts[0]) + len(texts[1]))
    return "".join(texts)


_OTHERS: dict[str, Callable[[Value, Value, Meter], Value]] = {
    "=": _equal,
    "!=": _unequal,
    "&": _joined,
    "..": _ranged,
    "in": _included,
}

_Kind = Callable[[Evaluator, Value, Value, Value], Value]
_KINDS: dict[str, _Kind] = {
    "path": Evaluator.evaluate_path,
    "binary": Evaluator.evaluate_binary,
    "unary": Evaluator.evaluate_unary,
    "name": Evaluator.evaluate_name,
    "string": lambda one, expr, _input, _scope: one.evaluate_literal(expr),
    "number": lambda one, expr, _input, _scope: one.evaluate_literal(expr),
    "value": lambda one, expr, _input, _scope: one.evaluate_literal(expr),
    "wildcard": lambda one, expr, given, _scope: one.evaluate_wildcard(expr, given),
    "descendant": lambda one, expr, given, _scope: one.evaluate_descendants(expr, given),
    "parent": lambda _one, expr, _input, scope: scope.lookup(expr.slot.label),
    "condition": Evaluator.evaluate_condition,
    "block": Evaluator.evaluate_block,
    "bind": Evaluator.evaluate_bind_expression,
    "regex": lambda one, expr, _input, _scope: one.evaluate_regex(expr),
    "function": lambda one, expr, given, scope: one.evaluate_function(
        expr, given, scope, Utils.NONE
    ),
    "variable": Evaluator.evaluate_variable,
    "lambda": Evaluator.evaluate_lambda,
    "partial": Evaluator.evaluate_partial_application,
    "apply": Evaluator.evaluate_apply_expression,
    "transform": Evaluator.evaluate_transform_expression,
}
"""How each kind of node is evaluated."""
