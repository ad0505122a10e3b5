/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load: {}
tests:
  - sql: total <
  - sql: SELECT dt FROM marts.other WHERE total < 0
  - sql: sum(total) > 5
  - sql: total > {{ vars.least }}
  - sql: total IN (SELECT 1)
  - sql: total > 1) OR (total < 2
  - sql: "{{ this }} IS NULL"
  - sql: SELECT shop FROM {{ this }} GROUP BY shop HAVING count(*) > 9
  - sql: total > 1
    unique: [shop]
---*/
SELECT shop, {{ total('price') }} AS total, dt
FROM staging.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY shop, dt
