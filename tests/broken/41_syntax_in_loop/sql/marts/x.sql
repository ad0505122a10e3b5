SELECT
    {% for name in ['a', 'b'] %}
    count_if(shop = '{{ name }}') AS {{ name }},
    {% endfor %}
FROM staging.events
