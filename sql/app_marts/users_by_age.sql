/*---
description: Users per decade of age and plan.
kind: ctas
load: {mode: replace}
tests:
  - unique: [age_decade, plan]
---*/
SELECT born AS age_decade, plan, count(*) AS users, count(DISTINCT city) AS cities
FROM app.users
GROUP BY born, plan
