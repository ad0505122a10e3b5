/*---
kind: insert
---*/
SELECT shop FROM staging.events
