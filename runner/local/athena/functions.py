"""The functions of Athena's SQL that the local engine answers as Athena does.

In: a statement's text.  Out: nothing, or Athena's failure for a name that Athena does not have,
or a refusal of ours for one that it has and that is not built here.
"""

from __future__ import annotations

from runner.local.athena.digests import DIGESTS
from runner.local.athena.errors import AthenaFailure, unsupported
from runner.local.athena.functions_maths import BUILT
from runner.local.athena.lexer import Token, position, tokenize
from runner.local.athena.natives import NATIVES

SUPPORTED = frozenset(
    """
    abs acos any_value approx_distinct approx_percentile arbitrary array_agg array_distinct
    array_intersect array_join array_max array_min array_position array_remove array_sort
    array_union asin atan atan2 avg bool_and bool_or cardinality cast cbrt ceil
    ceiling chr coalesce codepoint concat concat_ws contains corr cos cosh count count_if covar_pop
    covar_samp cume_dist current_date current_timestamp date date_add date_diff date_format
    date_parse date_trunc day day_of_month day_of_week day_of_year degrees dense_rank dow doy e
    element_at every exists exp extract filter first_value flatten floor format_datetime from_hex
    from_iso8601_date from_iso8601_timestamp from_unixtime greatest grouping
    hour if infinity is_finite is_infinite is_nan json_array_length json_extract json_extract_scalar
    json_format json_parse kurtosis lag last_day_of_month last_value lead least length
    levenshtein_distance listagg ln localtimestamp log log10 log2 lower lpad ltrim map map_agg
    map_concat map_entries map_from_entries map_keys map_values max max_by md5 min min_by
    minute mod month nan now nth_value ntile nullif percent_rank pi position pow
    power quarter radians rand random rank reduce regexp_count regexp_extract regexp_extract_all
    regexp_like regexp_replace regexp_split repeat replace reverse round row row_number rpad rtrim
    second sequence sha256 sign sin sinh skewness slice split split_part sqrt starts_with stddev
    stddev_pop stddev_samp strpos substr substring sum tan tanh to_hex to_iso8601 to_unixtime
    to_utf8 transform trim truncate try try_cast typeof unnest upper url_decode uuid
    values var_pop var_samp variance week week_of_year year from_utf8 year_of_week yow
    at_timezone current_timezone from_iso8601_timestamp_nanos from_unixtime_nanos
    human_readable_seconds localtime millisecond parse_datetime parse_duration timezone_hour
    timezone_minute to_milliseconds with_timezone current_time
    """.split()  # noqa: SIM905 - two hundred quoted names are harder to read
)
NESTED = frozenset(
    """
    all_match any_match array_except arrays_overlap combinations contains_sequence histogram
    map_filter map_union map_zip_with multimap_agg multimap_from_entries ngrams none_match
    reduce_agg shuffle split_to_map split_to_multimap transform_keys transform_values trim_array
    zip zip_with
    """.split()  # noqa: SIM905 - as above
)
JSON = frozenset(
    """
    is_json_scalar json_array json_array_contains json_array_get json_exists json_object json_query
    json_size json_value returning default passing key value
    """.split()  # noqa: SIM905 - as above
)
"""More functions of JSON, and words of their clauses before which or after which calls stand."""
REFUSED = frozenset(
    """
    arrays_overlap map_filter geometric_mean url_encode prev next classifier exclude_columns
    bitwise_right_shift_arithmetic all_match any_match none_match approx_most_frequent
    array_except
    beta_cdf bing_tile bit_count bitwise_and bitwise_and_agg bitwise_left_shift
    bitwise_not bitwise_or bitwise_or_agg bitwise_right_shift bitwise_xor char2hexint checksum
    classifier color combinations contains_sequence convex_hull_agg cosine_similarity crc32
    date_format_locale evaluate_classifier_predictions format
    format_number from_base from_base32 from_base64 from_base64url from_big_endian_32
    from_big_endian_64 from_encoded_polyline from_geojson_geometry from_ieee754_32
    from_ieee754_64 great_circle_distance
    hamming_distance hash_counts histogram hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512
    index inverse_beta_cdf inverse_normal_cdf
    learn_classifier luhn_check make_set_digest map_union map_zip_with match_recognize
    merge multimap_agg multimap_from_entries ngrams normal_cdf normalize
    numeric_histogram
    objectid_timestamp parse_data_size parse_presto_data_size
    reduce_agg regexp_position
    regr_intercept regr_slope render sha1 sha512 shuffle soundex split_to_map split_to_multimap
    spooky_hash_v2_32 spooky_hash_v2_64 to_base
    to_base32 to_base64 to_base64url to_big_endian_32 to_big_endian_64 to_date to_char
    to_geojson_geometry to_ieee754_32 to_ieee754_64 to_timestamp transform_keys
    transform_values translate trim_array width_bucket wilson_interval_lower
    wilson_interval_upper word_stem xxhash64 zip zip_with murmur3
    url_extract_fragment url_extract_host url_extract_parameter url_extract_path url_extract_port
    url_extract_protocol url_extract_query st_point st_contains st_distance st_geometryfromtext
    st_intersects st_within to_spherical_geography bit_and bit_or bitwise_xor_agg
    """.split()  # noqa: SIM905 - as above
)
_NOT_CALLS = frozenset(
    """
    select from where and or not in as on using over values by then else when case with union
    intersect except all distinct any some between like is null exists interval filter within
    group order having limit offset fetch join inner left right full cross lateral recursive
    partition rows range groups array row map decimal varchar char timestamp time date
    grouping sets rollup cube escape end asc desc nulls first last tablesample bernoulli
    system unnest ordinality preceding following current window qualify
    numeric dec double real integer int bigint smallint tinyint boolean varbinary table
    """.split()  # noqa: SIM905 - as above
)


_KNOWN = SUPPORTED | NESTED | JSON | BUILT | DIGESTS


def check_functions(sql: str) -> None:
    """Refuse names that are not functions of Athena, or not built here; raises AthenaFailure."""
    tokens = tokenize(sql)
    for number, token in enumerate(tokens[:-1]):
        if token.kind != "word" or tokens[number + 1].text != "(":
            continue
        name = token.text.lower()
        if name in _NOT_CALLS or name in _KNOWN or _is_alias(tokens, number):
            continue
        if f"__{name}" in NATIVES:
            continue
        line, column = position(sql, token.start)
        if name in REFUSED:
            raise unsupported(f"Function '{name}'", line=line, column=column)
        raise AthenaFailure(
            "FUNCTION_NOT_FOUND", f"Function '{name}' not registered", line=line, column=column
        )


def _is_alias(tokens: tuple[Token, ...], number: int) -> bool:
    """Tell an alias with columns, `t (a, b)`, from a call."""
    if not number:
        return False
    before = tokens[number - 1]
    if before.text.lower() in JSON:
        return False
    if before.word() in {"AS", "WITH", "RECURSIVE", "ORDINALITY"} or before.text in {")", "."}:
        return True
    if before.kind in {"quoted", "string"} or (
        before.kind == "word" and before.text.lower() not in _NOT_CALLS
    ):
        return True
    return before.text == "," and _is_cte(tokens, number + 1)


def _is_cte(tokens: tuple[Token, ...], opening: int) -> bool:
    depth = 0
    for place in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place].text, 0)
        if depth == 0:
            following = [each.text.upper() for each in tokens[place + 1 : place + 3]]
            return following == ["AS", "("]
    return False
