/*---
description: A view.
kind: view
---*/
SELECT dt, sum(turnover) AS turnover FROM marts.daily_shops GROUP BY dt
