SELECT shop FORM staging.events
