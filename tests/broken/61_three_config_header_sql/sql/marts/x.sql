/*---
kind: viev
---*/
SELECT shop FROM staging.events
