/*---
description: An insert table that reads itself - each day adds to the day before.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2024-01-01,NOW+1DAYS"}
---*/
SELECT shop, 'sum' AS how, max(before) + sum(pieces) AS pieces, dt
FROM (
    SELECT shop, quantity AS pieces, 0 AS before, dt
    FROM staging.orders
    WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
    UNION ALL
    SELECT shop, 0 AS pieces, pieces AS before,
        date_format(date_add('day', 1, CAST(dt AS date)), '%Y-%m-%d') AS dt
    FROM marts.running
    WHERE dt BETWEEN '{{ start.add(days=-1) }}' AND '{{ start.add(days=-1) }}'
)
GROUP BY shop, dt
