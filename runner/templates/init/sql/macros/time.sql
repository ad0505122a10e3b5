{# '2024-01-01T08:15:00Z' as a timestamp in UTC. Macros are known by name in every SQL file. #}
{% macro utc(text) -%}
CAST(from_iso8601_timestamp({{ text }}) AS timestamp)
{%- endmacro %}
