"""Functions of numbers that DuckDB lacks: what they are called, and what computes them.

In: values as Python has them.  Out: a value, or ValueError whose text is Athena's code and
message.  NULL is never passed in: any NULL argument makes the result NULL before.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import unsupported
from runner.local.athena.lexer import position, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

# Calls that sqlglot must not read as something else; the pass `maths` gives them their meaning.
SCALARS = frozenset(
    """
    beta_cdf bit_count bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
    bitwise_right_shift_arithmetic bitwise_xor cosine_similarity e from_base inverse_beta_cdf
    inverse_normal_cdf normal_cdf parse_data_size parse_presto_data_size rand random sign to_base
    truncate width_bucket wilson_interval_lower wilson_interval_upper
    """.split()  # noqa: SIM905 - quoted names are harder to read
)
AGGREGATES = frozenset(
    """
    approx_most_frequent bitwise_and_agg bitwise_or_agg checksum geometric_mean histogram
    numeric_histogram reduce_agg
    """.split()  # noqa: SIM905 - as above
)
# Aggregates of pairs: sqlglot cannot read DISTINCT before two arguments of those it knows.
PAIRS = frozenset(
    """
    corr covar_pop covar_samp regr_intercept regr_slope
    """.split()  # noqa: SIM905 - as above
)
BUILT = SCALARS | AGGREGATES | PAIRS

_RADIX = (2, 36)
_BITS = 64
_LONG = 2**63
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SIZES = {"B": 0, "kB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5, "EB": 6, "ZB": 7, "YB": 8}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([a-zA-Z]+)")
_STEPS = 300
_TINY = 1e-300
_CLOSE = 1e-16
_OVERFLOW = 10**38


class Udf(NamedTuple):
    """A function that DuckDB calls: parameters and result in DuckDB's types."""

    call: Callable[..., object]
    takes: tuple[str, ...]
    gives: str


def refuse_patterns(sql: str) -> None:
    """Refuse row pattern recognition by its name; raises AthenaFailure."""
    tokens = tokenize(sql)
    words = {token.word() for token in tokens}
    if not words & {"MATCH_RECOGNIZE", "PATTERN"}:
        return
    for token, after in pairwise(tokens):
        if after.text != "(" or token.word() not in {"MATCH_RECOGNIZE", "PATTERN"}:
            continue
        line, column = position(sql, token.start)
        if token.word() == "MATCH_RECOGNIZE":
            raise unsupported("MATCH_RECOGNIZE", line=line, column=column)
        if "DEFINE" in words:
            raise unsupported("Row pattern recognition in a window", line=line, column=column)


def _check(*, holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: {message}")


def _bit_count(number: int, bits: int) -> int:
    _check(
        holds=1 < bits <= _BITS,
        message=f"Bits specified in bit_count must be between 2 and 64, got {bits}",
    )
    _check(
        holds=-(1 << (bits - 1)) <= number < 1 << (bits - 1),
        message="Number must be representable with the bits specified. "
        f"{number} can not be represented with {bits} bits",
    )
    return (number & ((1 << bits) - 1)).bit_count()


def _check_radix(radix: int) -> None:
    _check(
        holds=_RADIX[0] <= radix <= _RADIX[1],
        message=f"Radix must be between {_RADIX[0]} and {_RADIX[1]}",
    )


def _from_base(text: str, radix: int) -> int:
    _check_radix(radix)
    digits = text[1:] if text[:1] in {"+", "-"} else text
    known = digits != "" and all(each in _DIGITS[:radix] for each in digits.lower())
    value = int(text, radix) if known else _LONG
    _check(holds=-_LONG <= value < _LONG, message=f"Not a valid base-{radix} number: {text}")
    return value


def _to_base(value: int, radix: int) -> str:
    _check_radix(radix)
    left, digits = abs(value), ""
    while left or not digits:
        left, digit = divmod(left, radix)
        digits = _DIGITS[digit] + digits
    return f"-{digits}" if value < 0 else digits


def _width_bucket(operand: float, first: float, second: float, count: int) -> int:
    _check(holds=count > 0, message="bucketCount must be greater than 0")
    _check(holds=not math.isnan(operand), message="operand must not be NaN")
    _check(holds=math.isfinite(first), message="first bound must be finite")
    _check(holds=math.isfinite(second), message="second bound must be finite")
    _check(holds=first != second, message="bounds cannot equal each other")
    lower, upper = min(first, second), max(first, second)
    if operand < lower:
        bucket = 0
    elif operand >= upper:
        bucket = count + 1
        if bucket >= _LONG:
            raise ValueError(
                f"NUMERIC_VALUE_OUT_OF_RANGE: Bucket for value {operand} is out of range"
            )
    else:
        bucket = int(count * (operand - lower) / (upper - lower) + 1)
    return count - bucket + 1 if first > second else bucket


def _width_bins(operand: float, bins: list[float | None]) -> int:
    _check(holds=bool(bins), message="Bins cannot be an empty array")
    _check(holds=not math.isnan(operand), message="Operand cannot be NaN")
    lower, upper = 0, len(bins)
    while lower < upper:
        first, last = bins[lower] or 0.0, bins[upper - 1] or 0.0
        _check(holds=not first > last, message="Bins are not sorted in ascending order")
        index = (lower + upper) // 2
        found = bins[index] or 0.0
        _check(holds=math.isfinite(found), message=f"Bin values must be finite, got {found}")
        if operand < found:
            upper = index
        else:
            lower = index + 1
    return lower


def _wilson(successes: int, trials: int, z: float) -> tuple[float, float]:
    _check(holds=successes >= 0, message="number of successes must not be negative")
    _check(holds=trials > 0, message="number of trials must be positive")
    _check(
        holds=successes <= trials,
        message="number of successes must not be larger than number of trials",
    )
    _check(holds=z >= 0, message="z-score must not be negative")
    share = successes / trials
    middle = share + z * z / (2 * trials)
    reach = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    whole = 1 + z * z / trials
    return (middle - reach) / whole, (middle + reach) / whole


def _wilson_lower(successes: int, trials: int, z: float) -> float:
    return _wilson(successes, trials, z)[0]


def _wilson_upper(successes: int, trials: int, z: float) -> float:
    return _wilson(successes, trials, z)[1]


def _normal_cdf(mean: float, deviation: float, value: float) -> float:
    _check(holds=deviation > 0, message="standardDeviation must be > 0")
    return 0.5 * (1 + math.erf((value - mean) / (deviation * math.sqrt(2))))


def _inverse_normal_cdf(mean: float, deviation: float, p: float) -> float:
    _check(holds=0 < p < 1, message="p must be 0 > p > 1")
    _check(holds=deviation > 0, message="sd must be > 0")
    return mean + deviation * NormalDist().inv_cdf(p)


def _beta_cdf(a: float, b: float, value: float) -> float:
    _check(holds=0 <= value <= 1, message="value must be 0 >= v >= 1")
    _check(holds=a > 0 and b > 0, message="a, b must be > 0")
    return _incomplete_beta(a, b, value)


def _inverse_beta_cdf(a: float, b: float, p: float) -> float:
    _check(holds=0 <= p <= 1, message="p must be 0 >= p >= 1")
    _check(holds=a > 0 and b > 0, message="a, b must be > 0")
    low, high = 0.0, 1.0
    if p in {0.0, 1.0}:
        return p
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if _incomplete_beta(a, b, middle) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Give the regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x in {0.0, 1.0}:
        return x
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    found = d
    for m in range(1, _STEPS):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 + numerator * d, 1 + numerator / c
            d = 1 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            found *= d * c
        if abs(d * c - 1) < _CLOSE:
            break
    return front * found


def _cosine(left: dict[str, float | None], right: dict[str, float | None]) -> float:
    norms = [math.sqrt(sum((v or 0) ** 2 for v in each.values())) for each in (left, right)]
    if 0 in norms:
        return math.nan
    dot = sum((v or 0) * (right[key] or 0) for key, v in left.items() if key in right)
    return dot / (norms[0] * norms[1])


def _data_size(text: str) -> Decimal:
    match = _SIZE.fullmatch(text)
    _check(holds=match is not None and match[2] in _SIZES, message=f"Invalid data size: '{text}'")
    if match is None:  # pragma: no cover - refused above; for the type checker
        return Decimal(0)
    return Decimal(int(Decimal(match[1]) * 1024 ** _SIZES[match[2]]))


def _quotient(left: str, right: str, scale: int) -> str:
    """Divide decimals exactly and round half away from zero; raises ValueError."""
    top, bottom = Decimal(left), Decimal(right)
    if not bottom:
        raise ValueError("DIVISION_BY_ZERO: Division by zero")
    first, second = _unscaled(top), _unscaled(bottom)
    shift = scale - first[1] + second[1]
    above = abs(first[0]) * 10 ** max(shift, 0)
    below = abs(second[0]) * 10 ** max(-shift, 0)
    found = (2 * above + below) // (2 * below)
    if found >= _OVERFLOW:
        raise ValueError("NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow")
    return _plain(-found if (top < 0) != (bottom < 0) else found, scale)


def _plain(unscaled: int, scale: int) -> str:
    text = str(abs(unscaled)).rjust(scale + 1, "0")
    sign = "-" if unscaled < 0 else ""
    return sign + (f"{text[:-scale]}.{text[-scale:]}" if scale else text)


def _unscaled(value: Decimal) -> tuple[int, int]:
    sign, digits, exponent = value.as_tuple()
    number = int("".join(map(str, digits)) or "0")
    return (-number if sign else number), -int(exponent)


_CALL = re.compile(r"\b__u_[a-z_0-9]+(?=\()", re.IGNORECASE)


def udfs_called(sql: str) -> tuple[str, ...]:
    """Give the functions of this module that a text calls."""
    found = dict.fromkeys(map(str.lower, _CALL.findall(sql)))
    return tuple(name for name in found if name in UDFS)


_DOUBLES = ("DOUBLE", "DOUBLE", "DOUBLE")
UDFS: dict[str, Udf] = {
    "__u_bit_count": Udf(_bit_count, ("BIGINT", "BIGINT"), "BIGINT"),
    "__u_from_base": Udf(_from_base, ("VARCHAR", "BIGINT"), "BIGINT"),
    "__u_to_base": Udf(_to_base, ("BIGINT", "BIGINT"), "VARCHAR"),
    "__u_width_bucket": Udf(_width_bucket, (*_DOUBLES, "BIGINT"), "BIGINT"),
    "__u_width_bins": Udf(_width_bins, ("DOUBLE", "DOUBLE[]"), "BIGINT"),
    "__u_wilson_interval_lower": Udf(_wilson_lower, ("BIGINT", "BIGINT", "DOUBLE"), "DOUBLE"),
    "__u_wilson_interval_upper": Udf(_wilson_upper, ("BIGINT", "BIGINT", "DOUBLE"), "DOUBLE"),
    "__u_normal_cdf": Udf(_normal_cdf, _DOUBLES, "DOUBLE"),
    "__u_inverse_normal_cdf": Udf(_inverse_normal_cdf, _DOUBLES, "DOUBLE"),
    "__u_beta_cdf": Udf(_beta_cdf, _DOUBLES, "DOUBLE"),
    "__u_inverse_beta_cdf": Udf(_inverse_beta_cdf, _DOUBLES, "DOUBLE"),
    "__u_cosine_similarity": Udf(
        _cosine, ("MAP(VARCHAR, DOUBLE)", "MAP(VARCHAR, DOUBLE)"), "DOUBLE"
    ),
    "__u_parse_data_size": Udf(_data_size, ("VARCHAR",), "DECIMAL(38, 0)"),
    "__u_quotient": Udf(_quotient, ("VARCHAR", "VARCHAR", "INTEGER"), "VARCHAR"),
}
