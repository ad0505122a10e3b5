/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
---*/
SELECT shop, dt
FROM staging.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
{% if start > '2013-01-05' %} AND price > 0 {% endif %}
