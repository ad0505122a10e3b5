SELECT id FROM staging.events
