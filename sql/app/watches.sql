/*---
description: Changes of watched flights, each once, by date of arrival.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
tests:
  - unique: [dt, sequence]
  - not_null: [sequence, watch_id, changed_at]
  - accepted_values: {event: [INSERT, MODIFY, REMOVE]}
---*/
-- Streams deliver at least once: DISTINCT takes away what came twice.
-- A REMOVE has the key alone, and OpenCSV reads what is not there as an empty text.
SELECT DISTINCT
    event,
    sequence,
    CAST(changed_at AS timestamp) AS changed_at,
    watch_id,
    CAST(NULLIF(user_id, '') AS bigint) AS user_id,
    carrier,
    origin,
    CAST(NULLIF(flight, '') AS integer) AS flight,
    CAST(NULLIF(flies_on, '') AS date) AS flies_on,
    CAST(NULLIF(threshold_minutes, '') AS integer) AS threshold_minutes,
    dt
FROM app_raw.watches
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
