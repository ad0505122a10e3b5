/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
---*/
SELECT shop, {{ from_monday() }} AS monday, dt
FROM staging.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
