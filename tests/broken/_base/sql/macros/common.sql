{% macro total(column) -%}
sum(coalesce({{ column }}, 0))
{%- endmacro %}
