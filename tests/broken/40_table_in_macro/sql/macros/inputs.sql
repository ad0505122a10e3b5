{% macro input() -%}
staging.evnts
{%- endmacro %}
