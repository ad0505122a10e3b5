/*---
description: What people did in the app, per day and action.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load: {}
tests:
  - unique: [dt, action]
---*/
SELECT
    action,
    count(*) AS requests,
    count(DISTINCT user_id) AS users,
    count_if(status >= 500) AS failed,
    approx_percentile(duration_ms, 0.95) AS slow_ms,
    dt
FROM app.requests
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
GROUP BY action, dt
