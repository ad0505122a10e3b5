SELECT
    shop
    {%- for name in ['price', 'prize'] %},
    sum({{ name }}) AS {{ name }}
    {%- endfor %}
FROM staging.events
GROUP BY shop
