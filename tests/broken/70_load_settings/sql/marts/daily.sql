/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
format: orc
allow_empty: true
load:
  engine: embulk
  keys: [dt, shop]
  columns: [shop, total]
  types:
    dt: DATE
  before: DELETE FROM daily; DELETE FROM weekly
  after: COMMIT
  min_rows: 3
---*/
SELECT shop, {{ total('price') }} AS total, dt
FROM staging.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY shop, dt
