/*---
description: An hourly insert table with a second partition column, in several chunks; its load
  replaces the window.
partition:
  p: {type: date, format: yyyy-MM-dd-HH, range: "2024-01-01-00,NOW+1DAYS"}
  shop: {type: enum, values: [a, b, c]}
load: {}
---*/
SELECT count(*) AS orders, sum(quantity) AS pieces, dt || '-' || hour AS p, shop
FROM staging.orders
WHERE dt BETWEEN '{{ start.format('yyyy-MM-dd') }}' AND '{{ end.format('yyyy-MM-dd') }}'
  AND dt || '-' || hour BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY dt || '-' || hour, shop
