{# part / whole as a double; NULL where the whole is 0.
   The cast matters: in Athena, integer / integer drops the fraction. #}
{% macro rate(part, whole) -%}
CAST({{ part }} AS double) / NULLIF({{ whole }}, 0)
{%- endmacro %}
