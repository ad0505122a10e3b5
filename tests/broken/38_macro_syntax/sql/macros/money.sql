{% macro euros(column) -%}
round({{ column / 100, 2)
{%- endmacro %}
