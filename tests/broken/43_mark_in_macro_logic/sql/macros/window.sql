{% macro from_monday() -%}
{% if start == '2013-01-07' %}1{% else %}0{% endif %}
{%- endmacro %}
