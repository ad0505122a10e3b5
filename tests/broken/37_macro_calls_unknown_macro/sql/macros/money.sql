{% macro euros(column) -%}
round({{ cents(column) }} / 100, 2)
{%- endmacro %}
