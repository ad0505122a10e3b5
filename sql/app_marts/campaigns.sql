/*---
description: Clicks on advertisements per day and campaign, what they cost, and who registered.
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
load: {}
tests:
  - unique: [dt, campaign]
---*/
WITH clicks AS (
    SELECT campaign, count(*) AS clicks, sum(cost_cents) AS cost_cents, dt
    FROM partner.clicks
    WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
    GROUP BY campaign, dt
), registered AS (
    SELECT campaign, count(*) AS users, date_format(registered_at, '%Y-%m-%d') AS dt
    FROM app.users
    GROUP BY 1, 3
)
SELECT c.campaign, c.clicks, c.cost_cents, coalesce(r.users, 0) AS registered, c.dt
FROM clicks AS c
LEFT JOIN registered AS r ON r.campaign = c.campaign AND r.dt = c.dt
