"""The table of JSONata's functions, by name, with the signatures of the language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonata.functions import Functions

from runner.machine import jsonata_arrays as arrays
from runner.machine import jsonata_numbers as numbers
from runner.machine import jsonata_strings as strings
from runner.machine.jsonata_natives import Native, Variadic

if TYPE_CHECKING:
    from collections.abc import Callable

_TABLE: tuple[tuple[str, str, Callable[..., object], int], ...] = (
    ("sum", "<a<n>:n>", arrays.total, 1),
    ("count", "<a:n>", arrays.count, 1),
    ("max", "<a<n>:n>", arrays.greatest, 1),
    ("min", "<a<n>:n>", arrays.least, 1),
    ("average", "<a<n>:n>", arrays.average, 1),
    ("string", "<x-b?:s>", strings.string, 2),
    ("substring", "<s-nn?:s>", strings.substring, 3),
    ("substringBefore", "<s-s:s>", strings.before, 2),
    ("substringAfter", "<s-s:s>", strings.after, 2),
    ("lowercase", "<s-:s>", strings.lowercase, 1),
    ("uppercase", "<s-:s>", strings.uppercase, 1),
    ("length", "<s-:n>", strings.length, 1),
    ("trim", "<s-:s>", strings.trim, 1),
    ("pad", "<s-ns?:s>", strings.pad, 3),
    ("match", "<s-f<s:o>n?:a<o>>", strings.match, 3),
    ("contains", "<s-(sf):b>", strings.contains, 2),
    ("replace", "<s-(sf)(sf)n?:s>", strings.replace, 4),
    ("split", "<s-(sf)n?:a<s>>", strings.split, 3),
    ("join", "<a<s>s?:s>", strings.join, 2),
    ("formatNumber", "<n-so?:s>", numbers.formatted, 3),
    ("formatBase", "<n-n?:s>", numbers.in_base, 2),
    ("formatInteger", "<n-s:s>", numbers.format_integer, 2),
    ("parseInteger", "<s-s:n>", numbers.parse_integer, 2),
    ("number", "<(nsb)-:n>", numbers.number, 1),
    ("floor", "<n-:n>", numbers.floor, 1),
    ("ceil", "<n-:n>", numbers.ceiling, 1),
    ("round", "<n-n?:n>", numbers.rounded, 2),
    ("abs", "<n-:n>", numbers.absolute, 1),
    ("sqrt", "<n-:n>", numbers.root, 1),
    ("power", "<n-n:n>", numbers.power, 2),
    ("boolean", "<x-:b>", arrays.boolean, 1),
    ("not", "<x-:b>", arrays.negated, 1),
    ("map", "<af>", arrays.mapped, 2),
    ("filter", "<af>", arrays.filtered, 2),
    ("single", "<af?>", arrays.single, 2),
    ("reduce", "<afj?:j>", arrays.reduced, 3),
    ("sift", "<o-f?:o>", arrays.sifted, 2),
    ("keys", "<x-:a<s>>", arrays.keys, 1),
    ("lookup", "<x-s:x>", arrays.looked_up, 2),
    ("append", "<xx:a>", arrays.appended, 2),
    ("exists", "<x:b>", arrays.exists, 1),
    ("spread", "<x-:a<o>>", arrays.spread, 1),
    ("merge", "<a<o>:o>", arrays.merged, 1),
    ("reverse", "<a:a>", arrays.reversed_, 1),
    ("each", "<o-f:a>", arrays.each, 2),
    ("error", "<s?:x>", arrays.failed, 1),
    ("assert", "<bs?:x>", arrays.asserted, 2),
    ("type", "<x:s>", arrays.type_of, 1),
    ("sort", "<af?:a>", arrays.sorted_, 2),
    ("distinct", "<x:x>", arrays.distinct, 1),
    ("base64encode", "<s-:s>", Functions.base64encode, 1),
    ("base64decode", "<s-:s>", Functions.base64decode, 1),
    ("encodeUrlComponent", "<s-:s>", strings.encode_component, 1),
    ("encodeUrl", "<s-:s>", strings.encode_url, 1),
    ("decodeUrlComponent", "<s-:s>", strings.decode_component, 1),
    ("decodeUrl", "<s-:s>", strings.decode_url, 1),
    ("toMillis", "<s-s?:n>", numbers.to_millis, 2),
    ("fromMillis", "<n-s?s?:s>", numbers.from_millis, 3),
    ("clone", "<(oa)-:o>", arrays.cloned, 1),
)

_ARITIES = {"string": 1}
"""Functions that take fewer arguments from `$map` and its like than they have."""

FUNCTIONS: dict[str, object] = {
    name: Native(name, signature, method, count, _ARITIES.get(name, count))
    for name, signature, method, count in _TABLE
}
FUNCTIONS["zip"] = Variadic("zip", "<a+>", arrays.zipped, 1, 0)
