/*---
description: A view.
kind: view
---*/
SELECT dt, sum(turnover) AS turnover, count(*) AS shops FROM marts.daily_shops GROUP BY dt
