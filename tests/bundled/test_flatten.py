"""Flattening: names, values to the letter, and that no path of the code differs from another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.functions.firehose_flatten.flatten import Flattener, NotFlatError, Rules
from tests.bundled.mutations import mutants

PLAIN = Rules()


@pytest.mark.parametrize(
    ("rules", "text", "flat"),
    [
        (PLAIN, '{"a": {"b": {"c": 1}}, "d": "x"}', '{"a_b_c":1,"d":"x"}'),
        (Rules(separator="."), '{"a":{"b":1}}', '{"a.b":1}'),
        (PLAIN, '{"a":{},"b":[],"c":null,"d":true}', '{"a":"{}","b":"[]","c":null,"d":true}'),
        (PLAIN, "{}", "{}"),
        (PLAIN, '{"a":[1,{"b":"c\\"d"}]}', '{"a":"[1,{\\"b\\":\\"c\\\\\\"d\\"}]"}'),
        (PLAIN, '{"a":[[[[[[[{"b":7.10}]]]]]]]}', '{"a":"[[[[[[[{\\"b\\":7.10}]]]]]]]"}'),
        (
            Rules(index_arrays=True),
            '{"a":[1,{"b":[true]},[]]}',
            '{"a_0":1,"a_1_b_0":true,"a_2":"[]"}',
        ),
        (
            Rules(max_depth=1),
            '{"a":{"b":"q\\"","c":[1]}}',
            '{"a":"{\\"b\\":\\"q\\\\\\"\\",\\"c\\":[1]}"}',
        ),
        (Rules(max_depth=2), '{"a":{"b":{"c":1},"d":2}}', '{"a_b":"{\\"c\\":1}","a_d":2}'),
        (Rules(max_depth=1, index_arrays=True), '{"a":[1, 2]}', '{"a":"[1,2]"}'),
        (Rules(lower_case=True), '{"User":{"ID":1}}', '{"user_id":1}'),
        (PLAIN, '{"a:1":2,"x:":"v","NaN":3}', '{"a:1":2,"x:":"v","NaN":3}'),
        (PLAIN, '{"%s":{"%":"%d"}}', '{"%s_%":"%d"}'),
        (PLAIN, '{"é":{"\\u00e9":"\\ud83d"}}', '{"é_é":"\\ud83d"}'),
        (PLAIN, '{"\\ud83d":{"a":1}}', '{"\\ud83d_a":1}'),
    ],
)
def test_what_becomes_of_objects(rules: Rules, text: str, flat: str) -> None:
    assert Flattener(rules).flatten(text) == flat + "\n"


@pytest.mark.parametrize(
    "number",
    [
        "12345678901234567890123",
        "0.10",
        "1E400",
        "-0",
        "-0.0",
        "1e-7",
        "3.141592653589793238462643",
    ],
)
@pytest.mark.parametrize("frame", ['{"a":{"b":%s}}', '{"a":[[[[[[%s]]]]]]}', '{"a:":1,"b":%s}'])
def test_numbers_keep_their_letters(number: str, frame: str) -> None:
    assert number in Flattener(PLAIN).flatten(frame % number)


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ('{"a":{"b":1},"a_b":2}', {"a_b": 2, "a_b_2": 1}),
        ('{"a_b":2,"a":{"b":1}}', {"a_b": 2, "a_b_2": 1}),
        ('{"a":{"b":1},"a_b":2,"a_b_2":3}', {"a_b": 2, "a_b_2": 3, "a_b_3": 1}),
        ('{"a_b_2":3,"a_b":2,"a":{"b":1}}', {"a_b": 2, "a_b_2": 3, "a_b_3": 1}),
        ('{"a":{"b_c":1},"a_b":{"c":2}}', {"a_b_c": 1, "a_b_c_2": 2}),
        ('{"a_b":{"c":2},"a":{"b_c":1}}', {"a_b_c": 1, "a_b_c_2": 2}),
        ('{"k":1,"k":2}', {"k": 1, "k_2": 2}),
    ],
)
def test_names_that_meet_do_not_depend_on_the_order_of_keys(
    text: str, flat: dict[str, int]
) -> None:
    assert json.loads(Flattener(PLAIN).flatten(text)) == flat


def test_names_that_differ_in_case_meet_in_small_letters() -> None:
    for text in ('{"ID":1,"id":2}', '{"id":2,"ID":1}'):
        flat = Flattener(Rules(lower_case=True)).flatten(text)
        assert json.loads(flat) == {"id": 1, "id_2": 2}


@pytest.mark.parametrize(
    "text",
    [
        '{"a":{"b":1}}{"a":2}',
        '{"a":{"b":1}} {"a":2}\n',
        '\n{"a":{"b":1}}\r\n\n{"a":2}\n',
        '{"a":\n{"b":1}\n}\n{"a":\n2}',
    ],
)
def test_a_text_may_hold_several_objects(text: str) -> None:
    assert Flattener(PLAIN).flatten(text) == '{"a_b":1}\n{"a":2}\n'


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "[{}]", "null", '"a"', "{", '{"a"}', '{"a":1,}', '{"a":01}', '{"a":1.}'),
        *('{"a":-"x"}', '{"a":NaN}', '{"a":-Infinity}', '{"a":"\t"}', '{"a":"\\x"}', '{"a":[1,]}'),
        *('{"a":[1 2]}', '{"a":tru}', "{1:2}", '{"a":1}}', '{"a":1}x', '{"a":1}\n[1]', "[" * 9999),
        *('{"a":"x}', '{"a":nullnull}', '{"a":+1}', '{"a":1}\x00', "\ufeff{}", '{"a":[{"b":1,}]}'),
    ],
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(NotFlatError):
        Flattener(PLAIN).flatten(text)


KEYS = st.sampled_from(["a", "b", "a_b", "", "é", "x:1", 'q"', "a:", "NaN", "%s", "\u2028"])
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.just("") | st.just('\\"[:1')
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict) and (value or not path):
        return [each for key, inner in value.items() for each in leaves(inner, (*path, key))]
    return [(path, json.dumps(value) if isinstance(value, dict | list) else value)]


def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON text that is a value, so that spaces in it do not count."""
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


@settings(max_examples=25, deadline=None)
@given(OBJECTS, st.booleans(), st.booleans())
def test_every_value_is_there_once_under_the_name_of_its_path(
    given_: dict[str, Any],
    ascii_: bool,  # noqa: FBT001 - hypothesis gives them
    compact: bool,  # noqa: FBT001
) -> None:
    text = json.dumps(
        given_, ensure_ascii=ascii_, separators=(",", ":") if compact else (", ", ": ")
    )
    found = json.loads(Flattener(PLAIN).flatten(text))
    expected = leaves(given_)
    assert len(found) == len(expected)
    for (path, value), (name, got) in zip(expected, found.items(), strict=True):
        assert name.startswith("_".join(path))
        assert repr(plain(got)) == repr(plain(value))
    names = ["_".join(path) for path, _ in expected]
    if len(set(names)) == len(names):
        assert list(found) == names


SHAPES = (
    '{"id":%d,"u":{"n":"%s","t":[%d]},"ok":true}',
    '{"id": %d, "u": {"n": "%s", "t": [%d]}, "ok": null}',
    '{"id":%d.5,"u":{"n":"%s"},"l":["a","%d"]}',
)
ODD = ("x", "", 'q\\"', "é", "\\u00e9", "\u3000", "a:1", "%s", "[", "\\\\")


@pytest.mark.parametrize("rules", [PLAIN, Rules(max_depth=1), Rules(time="id")])
def test_shapes_that_come_often_are_written_as_those_that_come_once(rules: Rules) -> None:
    often, texts = Flattener(rules), list[str]()
    for number in range(900):
        text = SHAPES[number % 3] % (number, ODD[number % len(ODD)], number)
        if number % 50 == 49:
            text = text.replace('"ok":true', '"ok":"[1]"').replace("[", "[[1],", 1)
        if number % 70 == 69:
            text = text.replace("}", "", 1)
        texts.append(text)
    encoded = [text.encode() for text in texts]
    often.flatten_all(encoded)
    times: list[list[str]] = [[] for _ in texts]
    for data, flat, found in zip(encoded, often.flatten_all(encoded, times), times, strict=True):
        once: list[str] = []
        assert Flattener(rules).flatten_all([data], [once]) == [flat], data
        assert once == found


BROKEN = (
    b'{"n":%d,"u":{"t":"x%d","l":["a",1]},"p":-%d.5}',
    b'{"n":%d,"u":{"t":"x\\\\%d","l":["a",{"b":null}]},"p":%de1}',
)


@pytest.mark.parametrize("shape", BROKEN)
@pytest.mark.parametrize("rules", [PLAIN, Rules(time="n")])
def test_what_is_broken_is_found_among_many_that_are_not(shape: bytes, rules: Rules) -> None:
    often = Flattener(rules)
    good = [shape % (at, at, at) for at in range(1, 151)]
    often.flatten_all(good)
    texts = [*good, *mutants(good[70])]
    found = often.flatten_all(texts)
    assert found.count(None) > len(texts) // 2
    for text, flat in zip(texts, found, strict=True):
        assert Flattener(rules).flatten_all([text]) == [flat], text
    assert often.flatten_all(texts, [[] for _ in texts]) == found
    clean = [at for at, text in enumerate(texts) if min(text, default=32) >= 32]
    assert often.flatten_all([texts[at] for at in clean]) == [found[at] for at in clean]


def test_a_text_that_is_not_closed_does_not_reach_into_the_next() -> None:
    often = Flattener(PLAIN)
    good = [b'{"a":{"b":"x%d"},"c":["%d"],"d":"y"}' % (at, at) for at in range(200)]
    often.flatten_all(good)
    texts = [
        good[0],
        b'{"a":{"b":"::',
        b'"},"c::":["1"],"d":"y"}',
        b'::"},"c":["1"],"d":"y"}',
        good[3],
    ]
    texts += [b'{"a":{"b":"x"},"c":[":', b':::"],"d":"y"}', good[4][:-2], b':::","d":"y"}', good[5]]
    flat = [at for at, found in enumerate(often.flatten_all(texts)) if found is not None]
    assert flat == [0, 4, 9]


def test_a_value_that_is_an_array_now_and_then() -> None:
    often = Flattener(PLAIN)
    texts = [b'{"a":%d,"b":%b}' % (at, (b'["x"]', b'"y"', b"[]")[at % 3]) for at in range(300)]
    often.flatten_all(texts)
    flat = [
        b'{"a":%d,"b":%b}\n' % (at, (b'"[\\"x\\"]"', b'"y"', b'"[]"')[at % 3]) for at in range(300)
    ]
    assert often.flatten_all(texts) == flat
