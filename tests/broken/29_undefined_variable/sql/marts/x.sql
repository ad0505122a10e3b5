SELECT shop
FROM staging.events
WHERE price > {{ vars.leest }}
