"""Text, varbinary, regular expressions, URLs and addresses: expressions and their Athena values.

Values are those of Trino's documentation, of the algorithms' own published examples, or by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from runner.local.athena import functions_binary

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

pytestmark = pytest.mark.trino_decimals

_UUID = "12151fd2-7586-11e9-8f9e-2a86e4085a59"
TEXT: tuple[tuple[str, object], ...] = (
    ("substr('Quadratically', -5)", "cally"),
    ("substr('Quadratically', -50)", ""),
    ("substr('Quadratically', 0)", ""),
    ("substr('Quadratically', 5, 0)", ""),
    ("substring('Quadratically' FROM -4 FOR 2)", "al"),
    ("substr(CAST(NULL AS varchar), 0)", None),
    ("lpad('text', 3, 'xy')", "tex"),
    ("lpad('text', 10, 'xy')", "xyxyxytext"),
    ("rpad('text', 6, 'xyz')", "textxy"),
    ("ltrim(U&'\\2003\\0009a ')", "a "),
    ("trim(TRAILING 'x' FROM 'xax')", "xa"),
    ("split('a,b,c', ',', 2)", ["a", "b,c"]),
    ("split('a.b', '.')", ["a", "b"]),
    ("split_part('a,b', ',', 3)", None),
    ("split_to_map('a=1,b=', ',', '=')", {"a": "1", "b": ""}),
    ("split_to_multimap('a=1,b=2,a=3', ',', '=')", {"a": ["1", "3"], "b": ["2"]}),
    ("strpos('high', 'h', 2)", 4),
    ("strpos('high', 'h', -2)", 1),
    ("strpos('high', 'z', -1)", 0),
    ("position('b' IN 'ab')", 2),
    ("concat('a', CAST(NULL AS varchar))", None),
    ("concat_ws(',', 'a', NULL, 'b')", "a,b"),
    ("concat_ws(NULL, 'a', 'b')", None),
    ("concat_ws(',', ARRAY['a', NULL, 'b'])", "a,b"),
    ("concat_ws(',', CAST(NULL AS array(varchar)))", None),
    ("reverse(U&'e\\0301x')", "x\u0301e"),
    ("length(U&'\\+01F600a')", 2),
    ("codepoint(U&'\\+01F600')", 128512),
    ("chr(128512)", "\U0001f600"),
    ("levenshtein_distance('kitten', 'sitting')", 3),
    ("hamming_distance('karolin', 'kathrin')", 3),
    ("soundex('Pfister')", "P236"),
    ("soundex('Tymczak')", "T522"),
    ("normalize(U&'\\00e9', NFD)", "e\u0301"),
    ("normalize(U&'e\\0301')", "\u00e9"),
    ("replace('abc', '', '-')", "-a-b-c-"),
    ("translate('abcd', 'aac', 'zq')", "zbd"),
    ("luhn_check('79927398713')", True),
    ("luhn_check('79927398714')", False),
    ("word_stem('generalizations')", "general"),
    ("format_number(123456)", "123K"),
    ("format_number(1000000)", "1M"),
    ("'a%c' LIKE 'a#%c' ESCAPE '#'", True),
    ("transform(ARRAY['ab'], x -> lpad(reverse(x), 3, '-'))", ["-ba"]),
    ("try(chr(-1))", None),
    ("from_utf8(X'58BF')", "X\ufffd"),
    ("from_utf8(X'58BF', '#')", "X#"),
    ("from_utf8(X'58BF', 35)", "X#"),
    ("upper(x) FROM (VALUES 'a\u00dfb') AS t (x)", "A\u00dfB"),
    ("split_part(x, ',', n) FROM (VALUES ('a,b', 2)) AS t (x, n)", "b"),
    ("lpad(x, n, 'xy') FROM (VALUES ('a', 4)) AS t (x, n)", "xyxa"),
)
FORMAT: tuple[tuple[str, object], ...] = (
    ("format('%s%%', 123)", "123%"),
    ("format('%.5f', pi())", "3.14159"),
    ("format('%03d|%x|%,d|%(d', 8, -1, 1234567, -5)", "008|ffffffffffffffff|1,234,567|(5)"),
    ("format('%-7s,%7s', 'hello', 'world')", "hello  ,  world"),
    ("format('%2$s %3$s %1$s', 'a', 'b', 'c')", "b c a"),
    ("format('%1$tA, %1$tB %1$te, %1$tY', DATE '2006-07-04')", "Tuesday, July 4, 2006"),
    ("format('%s %s %s', 1.5e0, CAST(0.1 AS real), 1.50)", "1.5 0.1 1.50"),
    ("format('%s %b', NULL, true)", "null true"),
    ("format('%s', TIMESTAMP '2020-01-01 10:00:00')", "2020-01-01T10:00"),
    ("format('%e %g', 12345.678e0, 0.00012345e0)", "1.234568e+04 0.000123450"),
)
PADDED: tuple[tuple[str, object], ...] = (
    ("CAST('abc' AS char(5))", "abc  "),
    ("CAST('abcdef' AS char(3))", "abc"),
    ("CAST('abc' AS char)", "a"),
    ("CAST('abc' AS char(5)) = 'abc'", True),
    ("CAST('abc' AS char(5)) = CAST('abc' AS char(7))", True),
    ("CAST('abc' AS char(5)) IN ('x', 'abc')", True),
    ("'abc ' = 'abc'", False),
    ("length(CAST('abc' AS char(5)))", 5),
    ("CAST('abc' AS char(5)) || 'x'", "abc  x"),
    ("CAST(CAST('abc' AS char(5)) AS varchar)", "abc  "),
    ("trim(CAST(' abc' AS char(6)))", "abc"),
    ("nullif(CAST('a' AS char(2)), 'a')", None),
    ("CASE CAST('a' AS char(2)) WHEN 'a' THEN 1 END", 1),
    ("CHAR 'ab  ' LIKE 'ab'", False),
    ("regexp_like('ab', CHAR 'ab ')", False),
)
REGEXPS: tuple[tuple[str, object], ...] = (
    ("regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)", "a"),
    ("regexp_extract('abc', '(x)|b', 1)", None),
    ("regexp_extract_all('1a 2b 14m', '(\\d+)([a-z]+)', 2)", ["a", "b", "m"]),
    ("regexp_replace('1a 2b 14m', '\\d+[ab] ')", "14m"),
    ("regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')", "3ca 3cb 14m"),
    ("regexp_replace('fun stuff.', '[a-z]', '\\$$0')", "$f$u$n $s$t$u$f$f."),
    ("regexp_replace('abc', '(?<n>b)', '[${n}]')", "a[b]c"),
    ("regexp_replace('new york', '(\\w)(\\w*)', x -> upper(x[1]) || lower(x[2]))", "New York"),
    ("regexp_replace('ab', '(a)|(b)', x -> x[1])", "a"),
    ("regexp_count('1a 2b 14m', '\\s*[a-z]+\\s*')", 3),
    ("regexp_position('I have 23 apples, 5 pears and 13 oranges', '\\b\\d+\\b', 12)", 19),
    ("regexp_position('I have 23 apples, 5 pears and 13 oranges', '\\b\\d+\\b', 12, 2)", 31),
    ("regexp_position('abc', 'b', 4)", -1),
    ("regexp_split('1a 2b 14m', '\\s*[a-z]+\\s*')", ["1", "2", "14", ""]),
    ("regexp_split('abc', '')", ["", "a", "b", "c", ""]),
    ("regexp_like('foobar', '(?<!x)bar')", True),
    ("regexp_like(U&'a\\000Ab', 'a.b')", False),
    ("regexp_like(U&'a\\000A', '^a$')", True),
    ("regexp_like(U&'\\0663', '^\\d$')", False),
    ("regexp_like('ABC', '(?i)abc')", True),
    ("regexp_like('b.*', '\\Q.*\\E')", True),
    ("regexp_extract('naive x', '[a-z&&[^aeiou]]{2}')", None),
    ("regexp_extract('\u00e9t\u00e9 1', '\\p{L}+')", "\u00e9t\u00e9"),
    ("regexp_extract('aab', '(?<c>a)\\k<c>b')", "aab"),
    ("regexp_like('a', NULL)", None),
    ("regexp_extract('foo bar', 'foo|foo bar')", "foo"),
    ("regexp_extract('abc', 'x*')", ""),
    ("regexp_replace('aXbX', 'X', '-')", "a-b-"),
    ("regexp_replace('baac', 'a*', '-')", "-b--c-"),
)
URLS: tuple[tuple[str, object], ...] = (
    ("url_extract_host('http://u@example.com:8080/p?a=b#c')", "example.com"),
    ("url_extract_port('http://example.com:8080/p?a=b#c')", 8080),
    ("url_extract_port('http://example.com/')", None),
    ("url_extract_path('http://example.com/a%20b')", "/a b"),
    ("url_extract_query('http://example.com?a=b%26c#x')", "a=b&c"),
    ("url_extract_fragment('http://example.com/#x%20y')", "x y"),
    ("url_extract_protocol('mailto:test@example.com')", "mailto"),
    ("url_extract_host('mailto:test@example.com')", ""),
    ("url_extract_host('http://not uri/cont')", None),
    ("url_extract_parameter('http://e.com/p?k1=a%26k2%3Db&k2=c', 'k1')", "a&k2=b"),
    ("url_extract_parameter('http://e.com/p?k1=a%26k2%3Db&k2=c', 'k2')", "c"),
    ("url_extract_parameter('http://e.com/p?k1', 'k1')", ""),
    ("url_extract_parameter('http://e.com/p?k1', 'k')", None),
    ("url_encode('a=b c~*')", "a%3Db+c%7E*"),
    ("url_decode('a%20b+c')", "a b c"),
)
BINARY: tuple[tuple[str, object], ...] = (
    ("X'01 ff 2A'", b"\1\xff\x2a"),
    ("X'01' || X'02'", b"\1\2"),
    ("lpad(X'01', 3, X'ff02')", b"\xff\x02\1"),
    ("rpad(X'0102', 1, X'ff')", b"\1"),
    ("substr(X'010203', -2, 1)", b"\2"),
    ("reverse(X'0102')", b"\2\1"),
    ("length(X'0102')", 2),
    ("to_base64url(X'fbff')", "-_8="),
    ("from_base64('AP8')", b"\0\xff"),
    ("from_base64(to_utf8('AP8='))", b"\0\xff"),
    ("to_base32(X'00ff')", "AD7Q===="),
    ("from_base32('AD7Q====')", b"\0\xff"),
    ("to_big_endian_64(1)", bytes(7) + b"\1"),
    ("from_big_endian_32(X'80000000')", -(2**31)),
    ("from_ieee754_64(to_ieee754_64(1.5e0))", 1.5),
    ("to_ieee754_32(REAL '1.5')", b"\x3f\xc0\0\0"),
    ("to_hex(md5(X''))", "D41D8CD98F00B204E9800998ECF8427E"),
    ("to_hex(sha1(X''))", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"),
    ("substr(to_hex(sha512(X'')), 1, 8)", "CF83E135"),
    ("crc32(to_utf8('123456789'))", 0xCBF43926),
    ("to_hex(xxhash64(X''))", "EF46DB3751D8E999"),
    ("to_hex(xxhash64(to_utf8('hello')))", "26C7827D889F6DA3"),
    ("to_hex(murmur3(X''))", "0" * 32),
    ("to_hex(spooky_hash_v2_32(X''))", "6BF50919"),
    ("to_hex(spooky_hash_v2_64(X''))", "232706FC6BF50919"),
    (
        "to_hex(hmac_md5(to_utf8('what do ya want for nothing?'), to_utf8('Jefe')))",
        "750C783E6AB0B503EAA86E310A5DB738",
    ),
)
ADDRESSES: tuple[tuple[str, object], ...] = (
    ("IPADDRESS '2001:0db8:0000:0000:0000:ff00:0042:8329'", "2001:db8::ff00:42:8329"),
    ("IPADDRESS '::ffff:1.2.3.4'", "1.2.3.4"),
    ("ARRAY[IPADDRESS '1.2.3.4', NULL]", ["1.2.3.4", None]),
    ("max(CAST(a AS ipaddress)) FROM (VALUES '9.0.0.0', '10.0.0.0') AS t (a)", "10.0.0.0"),
    ("IPADDRESS '9.0.0.0' < IPADDRESS '10.0.0.0'", True),
    ("TRY_CAST('x' AS ipaddress)", None),
    ("CAST(IPADDRESS '::1' AS varchar)", "::1"),
    ("to_hex(CAST(IPADDRESS '1.2.3.4' AS varbinary))", "00000000000000000000FFFF01020304"),
    ("CAST(X'01020304' AS ipaddress)", "1.2.3.4"),
    ("contains('10.0.0.0/8', IPADDRESS '10.255.255.255')", True),
    ("contains('10.0.0.0/8', IPADDRESS '11.0.0.0')", False),
    ("contains('2001:db8::/32', IPADDRESS '2001:db8:1::')", True),
    (f"CAST('{_UUID}' AS uuid)", UUID(_UUID)),
    (f"CAST(UUID '{_UUID.upper()}' AS varchar)", _UUID),
    (f"to_hex(CAST(UUID '{_UUID}' AS varbinary))", _UUID.replace("-", "").upper()),
    (f"CAST(X'{_UUID.replace('-', '')}' AS uuid)", UUID(_UUID)),
)
TYPES: tuple[tuple[str, object], ...] = (
    ("typeof('abc')", "varchar(3)"),
    ("typeof(CAST(NULL AS varchar(10)))", "varchar(10)"),
    ("typeof(CAST('a' AS char(5)))", "char(5)"),
    ("typeof(CHAR 'ab')", "char(2)"),
    ("typeof(upper('abc'))", "varchar(3)"),
    ("typeof('a' || 'b')", "varchar"),
    ("typeof(to_utf8('a'))", "varbinary"),
    ("typeof(IPADDRESS '::1')", "ipaddress"),
    ("typeof(uuid())", "uuid"),
    ("typeof(ARRAY['a', 'bc'])", "array(varchar(2))"),
    ("typeof(ARRAY[1.5])", "array(decimal(2,1))"),
)
FAILURES: tuple[tuple[str, str], ...] = (
    ("rpad('a', 3, '')", "INVALID_FUNCTION_ARGUMENT: Padding string must not be empty"),
    ("split('a', '')", "INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string"),
    ("split_part('a', ',', 0)", "INVALID_FUNCTION_ARGUMENT: Index must be greater than zero"),
    (
        "split_to_map('a=1,a=2', ',', '=')",
        "INVALID_FUNCTION_ARGUMENT: Duplicate keys (a) are not allowed",
    ),
    (
        "strpos('a', 'a', 0)",
        "INVALID_FUNCTION_ARGUMENT: 'instance' must be a positive or negative number.",
    ),
    (
        "'a' || 1",
        (
            "FUNCTION_NOT_FOUND: line 1:12: Unexpected parameters (varchar(1), integer) for "
            "function concat. Expected: concat(E, array(E)) E, concat(array(E)) E, "
            "concat(array(E), E) E, concat(char(x), char(y)), concat(varbinary), concat(varchar)"
        ),
    ),
    ("'a' < X'00'", "TYPE_MISMATCH: line 1:12: Cannot apply operator: varchar(1) < varbinary"),
    (
        "DATE '2020-01-01' = '2020-01-01'",
        "TYPE_MISMATCH: line 1:26: Cannot apply operator: date = varchar(10)",
    ),
    (
        "to_ieee754_32(1.5e0)",
        (
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (double) for function "
            "to_ieee754_32. Expected: to_ieee754_32(real)"
        ),
    ),
    (
        "typeof(ROW('a', 1))",
        (
            "NOT_SUPPORTED: typeof of a value that holds text or timestamps is not supported by "
            "the local engine"
        ),
    ),
    ("U&'\\D800'", "SYNTAX_ERROR: Invalid escaped character: \\D800"),
    (
        "md5('a')",
        (
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar(1)) for function md5. "
            "Expected: md5(varbinary)"
        ),
    ),
    (
        "concat(X'')",
        "INVALID_FUNCTION_ARGUMENT: There must be two or more concatenation arguments",
    ),
    (
        "'abc' LIKE 'a#bc' ESCAPE '#'",
        (
            "INVALID_FUNCTION_ARGUMENT: Escape character must be followed by '%', '_' or the "
            "escape character itself"
        ),
    ),
    (
        "format('%d', 'a')",
        (
            "INVALID_FUNCTION_ARGUMENT: Invalid format string: %d (IllegalFormatConversion: "
            "d != java.lang.String)"
        ),
    ),
    (
        "format('%h', 'a')",
        "NOT_SUPPORTED: %h in format() is not supported by the local engine",
    ),
    (
        "regexp_extract('a', 'a', 1)",
        "INVALID_FUNCTION_ARGUMENT: Pattern has 0 groups. Cannot access group 1",
    ),
    (
        "regexp_replace('a', 'a', '$1')",
        "INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: unknown group 1",
    ),
    (
        "regexp_like('a', '\\Ga')",
        "NOT_SUPPORTED: \\G in a regular expression is not supported by the local engine",
    ),
    (
        "word_stem('a', 'fr')",
        "NOT_SUPPORTED: word_stem in the language 'fr' is not supported by the local engine",
    ),
    (
        "from_big_endian_64(X'01')",
        "INVALID_FUNCTION_ARGUMENT: expected 8-byte input, but got instead: 1",
    ),
    (
        "coalesce(CAST('a' AS char(3)), 'b')",
        (
            "NOT_SUPPORTED: A choice between char(n) and text of another type is not supported by "
            "the local engine"
        ),
    ),
    ("X'123'", "SYNTAX_ERROR: Binary literal must contain an even number of digits"),
    (
        "CAST('x' AS ipaddress)",
        "INVALID_CAST_ARGUMENT: Cannot cast value to IPADDRESS: x",
    ),
    ("contains('10.0.0.0', IPADDRESS '::1')", "INVALID_FUNCTION_ARGUMENT: Invalid CIDR"),
    ("CAST('::/0' AS ipprefix)", "TYPE_NOT_FOUND: Unknown type: ipprefix"),
    (
        "typeof(a) FROM (VALUES 'abc') AS t (a)",
        (
            "NOT_SUPPORTED: typeof of this text, whose length is not known here, is not supported "
            "by the local engine"
        ),
    ),
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [*TEXT, *FORMAT, *PADDED, *REGEXPS, *URLS, *BINARY, *ADDRESSES, *TYPES],
)
def test_a_value_is_athenas(world: World, expression: str, expected: object) -> None:
    assert world.rows(f"SELECT {expression}") == [(expected,)]


@pytest.mark.parametrize(("expression", "reason"), FAILURES)
def test_a_failure_is_athenas_or_a_refusal(world: World, expression: str, reason: str) -> None:
    assert world.failure(f"SELECT {expression}") == reason


def test_functions_take_columns_and_aggregates(world: World) -> None:
    rows = world.rows(
        "SELECT lpad(max(a), 4, '-'), substr(max(a), -1), count(DISTINCT reverse(a)) "
        "FROM (VALUES 'ab1', 'cd2') AS t (a)"
    )
    assert rows == [("-cd2", "2", 2)]


def test_columns_of_char_are_filled_up(world: World) -> None:
    world.run("CREATE EXTERNAL TABLE c (a char(3), b varchar(5)) LOCATION 's3://b/c/'")
    world.put("c/data", "x\x01x\n")
    rows = world.rows("SELECT a, a = b, length(a), typeof(a), typeof(b) FROM c")
    assert rows == [("x  ", True, 3, "char(3)", "varchar(5)")]


def test_a_name_may_be_a_table_too(world: World) -> None:
    rows = world.rows(
        "WITH translate (x) AS (VALUES 'a') SELECT translate(x, 'a', 'b') FROM translate"
    )
    assert rows == [("b",)]


def test_literals_that_translations_share_keep_their_own_meaning(world: World) -> None:
    for text, expected in (("2013-01-05", "varchar(10)"), ("2013-01-05 10:00", "varchar(16)")):
        assert world.rows(f"SELECT typeof('{text}')") == [(expected,)]
    for text, expected in (("s3://b", "s3://b"), ("s3://$1", "s3://x")):
        sql = f"SELECT regexp_replace('x', '(x)', '{text}')"
        assert world.rows(sql) == [(expected,)]
        assert world.rows(sql) == [(expected,)]


def test_stars_keep_odd_names(world: World) -> None:
    found = world.athena.query('SELECT * FROM (VALUES ROW(1, 2)) AS t ("a; b", "order")', "db")
    assert [name for name, _ in found.columns] == ["a; b", "order"]
    assert list(found.rows) == [(1, 2)]


def test_addresses_cannot_be_stored(world: World) -> None:
    reason = world.failure("CREATE TABLE t AS SELECT IPADDRESS '::1' AS a")
    assert reason == "NOT_SUPPORTED: Unsupported Hive type: ipaddress"


def test_functions_outlive_the_statement_that_brought_them(world: World) -> None:
    for _ in range(3):
        assert world.rows("SELECT soundex('Robert'), url_encode(' ')") == [("R163", "+")]


def test_digests_and_encodings_of_duckdb_are_those_of_python(world: World) -> None:
    names = ("md5", "sha1", "sha256", "to_hex", "to_base64")
    values = (b"", b"a", "é語".encode(), bytes(range(256)), b"\x00" * 100)
    rows = ", ".join(f"({n}, X'{value.hex()}')" for n, value in enumerate(values))
    calls = ", ".join(f"{name}(b)" for name in names)
    found = world.rows(f"SELECT {calls} FROM (VALUES {rows}, (9, NULL)) AS v(n, b) ORDER BY n")
    expected = [tuple(getattr(functions_binary, name)(value) for name in names) for value in values]
    assert found == [*expected, (None,) * len(names)]
