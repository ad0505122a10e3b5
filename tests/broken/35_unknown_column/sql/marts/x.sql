SELECT shop, prise
FROM staging.events
