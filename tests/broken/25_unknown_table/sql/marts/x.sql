SELECT shop
FROM staging.event
