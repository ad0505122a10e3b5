SELECT shop FROM staging.events
