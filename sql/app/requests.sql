/*---
description: Requests to the app, one row each, by date of arrival.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
tests:
  - unique: [dt, request_id]
  - not_null: [request_id, requested_at, action, status]
  - accepted_values: {action: [login, search, watch, unwatch, read_alert]}
---*/
-- Streams deliver at least once: DISTINCT takes away what came twice.
SELECT DISTINCT
    request_id,
    {{ utc('time') }} AS requested_at,
    user_id,
    session_id,
    action,
    status,
    duration_ms,
    params_carrier AS carrier,
    params_origin AS origin,
    device_os,
    dt
FROM app_raw.logs
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
