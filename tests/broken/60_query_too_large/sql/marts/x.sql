SELECT shop
FROM staging.events
WHERE id IN ({% for i in range(45000) %}{{ 100000 + i }}{{ ',' if not loop.last }}{% endfor %})
