SELECT shop
FROM staging.events
{% if vars.least %}
WHERE price > 1
