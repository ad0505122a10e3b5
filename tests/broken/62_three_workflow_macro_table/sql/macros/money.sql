{% macro euros(column) %}{{ column }}{% endmacr %}
