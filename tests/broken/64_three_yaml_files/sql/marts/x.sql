/*---
tests: [unique: [shop]
---*/
SELECT shop FROM staging.events
