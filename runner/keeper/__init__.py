"""The keeper: one small function that does at run time what a state machine is bad at.

It validates an execution's input, computes windows, chunks and their formatted values, takes and
checks leases, empties and promotes prefixes, and writes records.  Order, retries, waiting and
concurrency stay in the state machine, where they can be seen.

Deployed as it stands: standard library and boto3, nothing else of this package.
"""
