SELECT shop FRM staging.events
