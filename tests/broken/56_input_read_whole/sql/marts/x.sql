/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
---*/
SELECT d.shop, d.total, d.dt
FROM marts.daily AS d
JOIN staging.events AS e
    ON e.shop = d.shop
WHERE d.dt BETWEEN '{{ start }}' AND '{{ end }}'
