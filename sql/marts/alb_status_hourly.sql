/*---
description: Requests to the departures board per hour and status, in UTC.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load: {}
tests:
  - unique: [dt, hour_utc, elb_status_code]
  - not_null: [hour_utc, elb_status_code]   # NULL: a line of the log could not be read
---*/
-- dt is the folder's date, not the request's: a line that is delivered late stays in the window.
SELECT
    date_trunc('hour', {{ utc('time') }}) AS hour_utc,
    elb_status_code,
    count(*) AS requests,
    sum(sent_bytes) AS sent_bytes,
    max(target_processing_time) AS slowest_seconds,         -- -1: no target answered
    replace(day, '/', '-') AS dt
FROM raw.alb
WHERE day BETWEEN '{{ start.format('yyyy/MM/dd') }}' AND '{{ end.format('yyyy/MM/dd') }}'
GROUP BY 1, 2, 6
