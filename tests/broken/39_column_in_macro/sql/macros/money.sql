{% macro euros(column) -%}
round({{ column }} * rate, 2)
{%- endmacro %}
