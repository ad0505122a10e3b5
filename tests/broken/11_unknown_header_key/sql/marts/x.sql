/*---
description: Shops.
formt: orc
---*/
SELECT shop FROM staging.events
