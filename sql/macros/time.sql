{# '2013-01-01T10:00:00Z' as a timestamp in UTC.
   Parquet tables hold timestamps without a zone, hence the cast. #}
{% macro utc(text) -%}
CAST(from_iso8601_timestamp({{ text }}) AS timestamp)
{%- endmacro %}

{# A local date and a clock such as 517 (5:17) as a local timestamp.
   hhmm / 100 is an integer division: whole hours. #}
{% macro clock(date_text, hhmm) -%}
date_add('minute', {{ hhmm }} / 100 * 60 + {{ hhmm }} % 100, CAST(CAST({{ date_text }} AS date) AS timestamp))
{%- endmacro %}
