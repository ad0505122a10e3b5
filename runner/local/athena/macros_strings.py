"""DuckDB macros of text and varbinary."""

from __future__ import annotations

STRING_MACROS: dict[str, str] = {
    "__substr": """(s, a) AS CASE WHEN s IS NULL OR a IS NULL THEN NULL
        WHEN a = 0 OR a > length(s) OR a < -length(s) THEN ''
        WHEN a > 0 THEN substr(s, least(a, length(s)))
        ELSE substr(s, length(s) + greatest(least(a, 0), -length(s)) + 1) END""",
    "__substr_size": """(s, a, n) AS CASE WHEN s IS NULL OR a IS NULL OR n IS NULL THEN NULL
        WHEN a = 0 OR n <= 0 OR a > length(s) OR a < -length(s) THEN ''
        WHEN a > 0 THEN substr(s, least(a, length(s)), least(n, length(s)))
        ELSE substr(s, length(s) + greatest(least(a, 0), -length(s)) + 1, least(n, length(s)))
        END""",
    "__concat_ws_array": """(d, a) AS CASE WHEN d IS NULL OR a IS NULL THEN NULL
        ELSE coalesce(array_to_string(a, d), '') END""",
    # Of one character DuckDB knows a capital letter that Java does not.
    "__upper": """(s) AS CASE WHEN strlen(s) = length(s) THEN upper(s) WHEN contains(s, 'ß')
        THEN array_to_string(list_transform(str_split(s, 'ß'), lambda p: upper(p)), 'ß')
        ELSE upper(s) END""",
    "__any_reverse": """(a VARCHAR) AS __reverse(a), (a BLOB) AS __reverse_binary(a),
        (a) AS list_reverse(a)""",
    "__md5": "(b) AS unhex(md5(b::BLOB))",
    "__sha1": "(b) AS unhex(sha1(b::BLOB))",
    "__sha256": "(b) AS unhex(sha256(b::BLOB))",
    "__to_hex": "(b) AS hex(b::BLOB)",
    "__to_base64": "(b) AS to_base64(b::BLOB)",
    "__filled": "(p, t) AS CASE WHEN p.groups IS NULL THEN p.gap ELSE p.gap || coalesce(t, '') END",
}
