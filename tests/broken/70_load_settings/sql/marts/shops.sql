/*---
load:
  engine: embulk
  mode: insert_direct
  min_rows: 0
---*/
SELECT DISTINCT shop FROM staging.events
