SELECT shop FROM staging.events;
SELECT id FROM staging.events
